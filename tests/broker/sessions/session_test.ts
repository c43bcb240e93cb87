import { deepEqual, equal } from "node:assert/strict";
import { TestRouter } from "./harness.ts";

const pure = { permissions: "none" } as const;

Deno.test(
  "a kept session receives what was published while it was away, in order, with new ids",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    test.subscribe(client, "t/+", 1);
    test.publish("t/1", "0");
    client.session.acknowledged(client.outlet.messages[0]!.packetId);
    test.disconnect(client);
    test.publish("t/1", "1");
    test.publish("t/2", "2", 2);
    test.publish("t/2", "dropped", 0);
    const again = test.connect("a");
    equal(again.isPresent, true);
    deepEqual(again.outlet.texts, ["1", "2"]);
    deepEqual(again.outlet.messages.map(({ dup }) => dup), [false, false]);
  },
);
