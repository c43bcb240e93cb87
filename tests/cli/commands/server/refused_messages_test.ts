import { deepEqual, equal } from "node:assert/strict";
import { RefusedMessages } from "../../../../src/cli/commands/server/refused_messages.ts";

const ADVICE =
  "only this server may publish there. If the client is a server too, stop it, or start it with a different --prefix";

Deno.test({
  name:
    "RefusedMessages.add() warns once a minute for each client, with a count",
  permissions: "none",
  fn: () => {
    const log: string[] = [];
    let now = 0;
    const refused = new RefusedMessages((line) => log.push(line), () => now);
    for (let i = 0; i < 60; i++) {
      refused.add("a", "occupancy/changes");
      refused.add("b", "occupancy/server/state");
      now += 1000;
    }
    refused.add("a", "occupancy/changes/l2");
    deepEqual(log, [
      `Refused a message of the client "a" to occupancy/changes: ${ADVICE}`,
      `Refused a message of the client "b" to occupancy/server/state: ${ADVICE}`,
      `Refused a message of the client "a" to occupancy/changes/l2 (and 59 more messages since the last warning): ${ADVICE}`,
    ]);
  },
});

Deno.test({
  name: "RefusedMessages.add() forgets the oldest of more than 100 clients",
  permissions: "none",
  fn: () => {
    let warnings = 0;
    const refused = new RefusedMessages(() => warnings++, () => 0);
    for (let i = 0; i <= 100; i++) refused.add(`client ${i}`, "t");
    refused.add("client 100", "t");
    equal(warnings, 101);
    refused.add("client 0", "t");
    equal(warnings, 102);
  },
});
