/** The packets of the load generator. */
import assert from "node:assert/strict";
import {
  encodeLoad,
  type LoadShape,
  type Order,
  Readings,
} from "../../bench/harness/packets.ts";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { needs } from "../support/needs.ts";
import { PacketDecoder, type PublishPacket } from "../support/packets.ts";

const ORDERS: readonly Order[] = ["sweep", "patches", "scattered"];

/** Decodes one PUBLISH. */
function decode(bytes: Uint8Array): PublishPacket {
  const [packet, ...rest] = new PacketDecoder().push(bytes);
  assert.deepEqual(rest, []);
  assert.equal(packet?.cmd, "publish");
  return packet as PublishPacket;
}

Deno.test(
  "encodeLoad() encodes the readings of its shape, in order",
  needs(),
  () => {
    for (const order of ORDERS) {
      for (const qos of [0, 1] as const) {
        for (const readingsPerMessage of [1, 100, 1000]) {
          const shape: LoadShape = {
            topic: "occupancy/data",
            qos,
            messages: 30,
            readingsPerMessage,
            cells: 5000,
            order,
          };
          const { bytes, starts } = encodeLoad(shape);
          assert.equal(starts[30], bytes.length);
          const model = new Readings(shape);
          for (let i = 0, n = 0; i < 30; i++) {
            const packet = decode(bytes.subarray(starts[i], starts[i + 1]));
            assert.equal(packet.topic, shape.topic);
            assert.equal(packet.qos, qos);
            assert.equal(packet.messageId, qos === 0 ? undefined : i + 1);
            const batch = new ReadingBatch();
            assert.equal(parseReadings(packet.payload, batch).total, 0);
            assert.equal(batch.length, readingsPerMessage);
            for (let j = 0; j < batch.length; j++) {
              model.seek(n++);
              const { x, y, value } = model;
              assert.deepEqual(
                [batch.x[j], batch.y[j], batch.value[j]],
                [x, y, value],
              );
            }
          }
        }
      }
    }
  },
);

Deno.test(
  "encodeLoad() reuses packet identifiers, except that of requests",
  needs(),
  () => {
    const { bytes, starts } = encodeLoad({
      topic: "t",
      qos: 1,
      messages: 65_536,
      readingsPerMessage: 1,
      cells: 10,
      order: "sweep",
    });
    const idOf = (i: number) =>
      decode(bytes.subarray(starts[i], starts[i + 1])).messageId;
    assert.deepEqual([0, 65_533, 65_534].map(idOf), [1, 65_534, 1]);
  },
);

Deno.test("a sweep visits each cell once per round, with another value", {
  permissions: "none",
}, () => {
  const shape: LoadShape = {
    topic: "t",
    qos: 0,
    messages: 0,
    readingsPerMessage: 7,
    cells: 90,
    order: "sweep",
  };
  const readings = new Readings(shape);
  const values = new Map<string, number>();
  for (let n = 0; n < 180; n++) {
    readings.seek(n);
    const key = `${readings.x},${readings.y}`;
    assert.notEqual(values.get(key), readings.value);
    values.set(key, readings.value);
    if (n === 89) assert.equal(values.size, 90);
  }
  assert.equal(values.size, 90);
});

Deno.test("encodeLoad() encodes messages of any length", needs(), () => {
  for (const readingsPerMessage of [1, 20, 2000, 300_000]) {
    const shape = { topic: "t", qos: 1, messages: 1, cells: 1e6 } as const;
    const { bytes } = encodeLoad({
      ...shape,
      readingsPerMessage,
      order: "sweep",
    });
    const lines = decode(bytes).payload.toString().trimEnd().split("\n");
    assert.equal(lines.length, readingsPerMessage);
  }
});
