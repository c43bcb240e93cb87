/** What a connection remembers of the topics to which its client publishes. */
import assert from "node:assert/strict";
import type { ConnectionContext } from "../../../src/broker/connections/context.ts";
import { PublishTopics } from "../../../src/broker/connections/publish_topics.ts";

/** A context whose rules allow topics that do not begin with `secret`. */
function contextOf(rules: { version: number; allowsAll: boolean }) {
  let checks = 0;
  const context = {
    access: {
      get version() {
        return rules.version;
      },
      mayPublish: (_: unknown, topic: string) => {
        checks++;
        return rules.allowsAll || !topic.startsWith("secret");
      },
    },
    settings: { maxTopicLevels: 3 },
    tap: {
      receives: (topic: string) => topic.startsWith("data"),
      receivesRuns: (topic: string) => topic === "data",
    },
  } as unknown as ConnectionContext;
  return { context, checks: () => checks };
}

const IDENTITY = { clientId: "c", user: undefined } as never;

Deno.test({
  name: "PublishTopics.of() returns rules, depth and receiver of a topic",
  permissions: "none",
  fn: () => {
    const { context } = contextOf({ version: 0, allowsAll: false });
    const topics = new PublishTopics(context, IDENTITY);
    const flags = (name: string) => {
      const { isAllowed, isTooDeep, isTapped, isRun } = topics.of(name);
      return [isAllowed, isTooDeep, isTapped, isRun];
    };
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(flags("data"), [true, false, true, true]);
      assert.deepEqual(flags("data/a"), [true, false, true, false]);
      assert.deepEqual(flags("secret/a"), [false, false, false, false]);
      assert.deepEqual(flags("a/b/c/d"), [false, true, false, false]);
      const long = "a".repeat(1000);
      assert.deepEqual(flags(long), [true, false, false, false]);
      for (let i = 0; i < 100; i++) {
        assert.equal(topics.of(`data/${i}`).name, `data/${i}`);
      }
    }
  },
});

Deno.test({
  name: "PublishTopics.of() checks a few topics once, until the rules change",
  permissions: "none",
  fn: () => {
    const rules = { version: 0, allowsAll: false };
    const { context, checks } = contextOf(rules);
    const topics = new PublishTopics(context, IDENTITY);
    for (let i = 0; i < 1000; i++) topics.of(`secret/${i % 20}`);
    assert.equal(checks(), 20);
    assert.equal(topics.of("secret/1").isAllowed, false);
    rules.allowsAll = true;
    rules.version++;
    assert.equal(topics.of("secret/1").isAllowed, true);
    assert.equal(checks(), 21);
  },
});
