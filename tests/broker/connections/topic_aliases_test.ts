import { equal, throws } from "node:assert/strict";
import {
  TOPIC_ALIAS_MAXIMUM,
  TopicAliases,
} from "../../../src/broker/connections/topic_aliases.ts";
import type { PublishPacket } from "../../../src/broker/codec/packets.ts";

const PURE = { permissions: "none" } as const;

function resolve(aliases: TopicAliases, topicAlias: number, topic: string) {
  return aliases.resolve({ topicAlias, topic } as PublishPacket);
}

Deno.test("an alias stands for its last topic", PURE, () => {
  const aliases = new TopicAliases();
  equal(resolve(aliases, 1, "a"), "a");
  equal(resolve(aliases, TOPIC_ALIAS_MAXIMUM, "b"), "b");
  equal(resolve(aliases, 1, ""), "a");
  equal(resolve(aliases, 1, "c"), "c");
  equal(resolve(aliases, 1, ""), "c");
  throws(() => resolve(aliases, 2, ""), { reasonCode: 0x82 });
  throws(() => resolve(aliases, TOPIC_ALIAS_MAXIMUM + 1, "d"), {
    reasonCode: 0x94,
  });
});

Deno.test("the topics of all aliases are not long", PURE, () => {
  const aliases = new TopicAliases();
  for (let i = 0; i < 100; i++) resolve(aliases, 1, "x".repeat(16_000));
  throws(() => resolve(aliases, 2, "x".repeat(1_000)), { reasonCode: 0x97 });
});
