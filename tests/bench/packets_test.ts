/** The packets of the load generator. */
import assert from "node:assert/strict";
import {
  encodeLoad,
  encodePublish,
  type LoadShape,
  type Order,
  Readings,
} from "../../bench/harness/packets.ts";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { decodePublish } from "../support/raw_mqtt.ts";

const ORDERS: readonly Order[] = ["sweep", "patches", "scattered"];

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

/** Reads one PUBLISH: type and flags, length of one to four digits, body. */
function readPacket(bytes: Uint8Array) {
  let at = 1;
  let length = 0;
  for (let factor = 1;; factor *= 128) {
    const digit = bytes[at++]!;
    length += (digit & 127) * factor;
    if (digit < 128) break;
  }
  assert.equal(at + length, bytes.length);
  return decodePublish({
    type: bytes[0]! >> 4,
    flags: bytes[0]! & 15,
    body: bytes.subarray(at),
  });
}

test("encodeLoad() makes packets with the readings of its shape, in order", () => {
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
          const packet = readPacket(bytes.subarray(starts[i], starts[i + 1]));
          assert.equal(packet.topic, shape.topic);
          assert.equal(packet.qos, qos);
          assert.equal(packet.id, qos === 0 ? 0 : i + 1);
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
});

test("encodeLoad() reuses packet identifiers, without that of requests", () => {
  const { bytes, starts } = encodeLoad({
    topic: "t",
    qos: 1,
    messages: 65_536,
    readingsPerMessage: 1,
    cells: 10,
    order: "sweep",
  });
  const idOf = (i: number) =>
    readPacket(bytes.subarray(starts[i], starts[i + 1])).id;
  assert.deepEqual([0, 65_533, 65_534].map(idOf), [1, 65_534, 1]);
});

test("a sweep visits each cell once per round, with another value", () => {
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

test("encodePublish() makes packets of any length", () => {
  for (const length of [0, 1, 200, 20_000, 3_000_000]) {
    const payload = new Uint8Array(length).fill(65);
    const packet = readPacket(encodePublish("a/b", payload, 9));
    assert.equal(packet.id, 9);
    assert.deepEqual(packet.payload.length, length);
  }
});
