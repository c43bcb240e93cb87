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
  "readings": rows(8 * MIB - 100),
  "short readings": "1,1,1\n".repeat(8 * MIB / 6),
  "bad lines": "x\n".repeat(4 * MIB),
};

Deno.test({
  name: "payloads that are too large are refused and reported, others pass",
  permissions: "none",
  fn: async () => {
    const options = { ...fakeOptions(), maxPayload: 2000 };
    const { link, map } = options;
    const server = new Server(options);
    await server.start();
    const send = (text: string, retain = false) =>
      link.handlers.message({ ...incoming("occupancy/data", text), retain });
    send("1,1,1\n".repeat(334)); // 2004 bytes
    send("2,2,2\n".repeat(333)); // 1998 bytes
    send("3,3,3,1700000000\n".repeat(200), true);
    while (link.acknowledged.length < 3) await nextTurn();
    assert.equal(map.size, 1);
    assert.equal(map.layer("default")!.get(2, 2)!.value, 2);
    assert.equal(server.stats.refused.get("too-large"), 2);
    const [report] = link.textsOn("occupancy/errors");
    const { topic, code, message } = JSON.parse(report!);
    assert.deepEqual([topic, code], ["occupancy/data", "too-large"]);
    assert.match(message, /^the message has 2004 bytes, more than 2000: send/);
    await server.stop();
  },
});

Deno.test({
  name:
    "JSON that cannot be parsed in parts has a lower limit, over MQTT and HTTP",
  permissions: "none",
  fn: async () => {
    const options = fakeOptions();
    const { link, map } = options;
    const server = new Server(options);
    await server.start();
    const element = '{"x":1,"y":2,"value":3}';
    const count = Math.ceil(4 * MIB / element.length);
    const json = `[${Array(count).fill(element).join()}]`;
    const lines = `${element}\n`.repeat(count);
    const bytes = new TextEncoder().encode(json);
    const refused = await server.submit("default", bytes);
    assert(refused.outcome === "invalid");
    assert.equal(refused.code, "too-large");
    link.handlers.message(incoming("occupancy/data", json));
    while (link.acknowledged.length < 1) await nextTurn();
    assert.equal(map.size, 0);
    assert.equal(server.stats.refused.get("too-large"), 2);
    link.handlers.message({
      ...incoming("occupancy/data", lines),
      contentType: "application/x-ndjson",
    });
    while (link.acknowledged.length < 2) await nextTurn();
    assert.equal(map.size, 1);
    await server.stop();
  },
});

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
