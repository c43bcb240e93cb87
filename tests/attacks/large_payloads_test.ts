/** Payloads that would block the server: other clients are served in between. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Server } from "../../src/server/mod.ts";
import { fakeOptions } from "../server/support.ts";
import { incoming } from "../support/fake_link.ts";

const MIB = 1024 * 1024;

/** Scattered readings. */
function rows(bytes: number, end = "\n"): string {
  const lines: string[] = [];
  for (let i = 0, length = 0; length < bytes; i++) {
    const line = `${i % 700 * 32},${Math.floor(i / 700) * 32},${i % 9}${end}`;
    length += line.length;
    lines.push(line);
  }
  return lines.join("");
}

const PAYLOADS: Readonly<Record<string, string>> = {
  "readings": rows(8 * MIB),
  "short readings": "1,1,1\n".repeat(8 * MIB / 6),
  "bad lines": "x\n".repeat(4 * MIB),
};

for (const [name, payload] of Object.entries(PAYLOADS)) {
  Deno.test({
    name: `8 MiB of ${name}: other clients get many turns, over MQTT and HTTP`,
    permissions: "none",
    fn: async () => {
      const options = fakeOptions();
      const { link } = options;
      const server = new Server(options);
      await server.start();
      /** Counts turns of the event loop until the work is done. */
      const turnsOf = async (work: () => Promise<unknown>) => {
        let isDone = false;
        const done = work().then(() => isDone = true);
        let turns = 0;
        for (; !isDone; turns++) await nextTurn();
        await done;
        return turns;
      };
      const overMqtt = await turnsOf(async () => {
        const { length } = link.acknowledged;
        link.handlers.message(incoming("occupancy/data", payload));
        while (link.acknowledged.length === length) await nextTurn();
      });
      assert.ok(overMqtt >= 4, `${overMqtt} turns`);
      const bytes = new TextEncoder().encode(payload);
      const overHttp = await turnsOf(() =>
        server.submit("default", bytes, "text/csv")
      );
      assert.ok(overHttp >= 4, `${overHttp} turns`);
      await server.stop();
    },
  });
}
