/** A reply of a million cells, in parts, has the cells that were sent. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { Requester } from "../../src/request/mod.ts";
import { encodeCsv, ReadingBatch, Topics } from "../../src/protocol/mod.ts";

const SIDE = 1000;
/** Number of rows and columns with negative coordinates. */
const MARGIN = 10;
/** ms since 1970. */
const FIRST_TIME = 1_760_000_000_000;
const MESSAGE_READINGS = 10_000;

for (const broker of BROKERS) {
  Deno.test({
    name: `a reply has the million cells that were sent, over ${broker}`,
    ...needs("mosquitto"),
    fn: async () => {
      const { Connection } = await import("../../src/mqtt/connection.ts");
      await using system = await startSystem(broker);
      const sent = cells();
      assert.equal(sent.length, (SIDE + MARGIN) ** 2);

      const requester = new Requester({
        topics: new Topics(),
        name: "requester",
      });
      const link = new Connection({
        url: system.url,
        clientId: requester.name,
        subscriptions: requester.subscriptions,
      });
      await link.open(requester.handlersFor(link));
      try {
        for (const payload of payloads(sent)) {
          await link.publish("occupancy/data", payload, { qos: 1 });
        }
        const view = await requester.request(link, { timeout: 20_000 });
        assertSame(view.cells, sent);
      } finally {
        await link.close();
      }
    },
  });
}

Deno.test({
  name: "a million cells are sent in parts of 256 KiB",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    await using client = await RawConnection.open(system.port, "client");
    await client.subscribe("occupancy/response");
    const sent = cells();
    for (const payload of payloads(sent)) {
      await client.write(encodePublish("occupancy/data", payload));
    }
    await client.write(encodePublish("occupancy/request", "{}"));
    let total = 0;
    let parts = Infinity;
    for (let part = 1; part <= parts; part++) {
      const { payload } = await client.take("publish");
      assert.ok(payload.length <= 256 * 1024 + 100, `${payload.length} bytes`);
      const text = payload.toString();
      parts = Number(/"parts":(\d+)/.exec(text)![1]);
      total += text.split("],[").length;
    }
    assert.ok(parts > 50, `${parts} parts`);
    assert.equal(total, sent.length);
  },
});

function* payloads(sent: ReadingBatch): Generator<Uint8Array<ArrayBuffer>> {
  for (let from = 0; from < sent.length; from += MESSAGE_READINGS) {
    yield encodeCsv(sent, from, Math.min(from + MESSAGE_READINGS, sent.length));
  }
}

function cells(): ReadingBatch {
  const batch = new ReadingBatch((SIDE + MARGIN) ** 2);
  for (let y = -MARGIN; y < SIDE; y++) {
    for (let x = -MARGIN; x < SIDE; x++) {
      batch.push(x, y, valueOf(x, y), FIRST_TIME + (x & 1023));
    }
  }
  return batch;
}

/** Returns 0 or any int32: free, occupied, a count or unknown. */
function valueOf(x: number, y: number): number {
  const mixed = Math.imul(x * 7919 + y, 0x9e3779b1);
  return (mixed & 3) === 0 ? 0 : mixed;
}

function assertSame(found: ReadingBatch, sent: ReadingBatch): void {
  assert.equal(found.length, sent.length);
  const width = SIDE + MARGIN;
  const seen = new Uint8Array(sent.length);
  for (let i = 0; i < found.length; i++) {
    const at = (found.y[i]! + MARGIN) * width + found.x[i]! + MARGIN;
    const same = sent.x[at] === found.x[i] && sent.y[at] === found.y[i] &&
      sent.value[at] === found.value[i] && sent.time[at] === found.time[i];
    if (!same || seen[at]) {
      assert.fail(
        `cell ${found.x[i]},${found.y[i]} = ${found.value[i]} at ${
          found.time[i]
        } was not sent, or received twice`,
      );
    }
    seen[at] = 1;
  }
}
