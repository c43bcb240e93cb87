/**
 * `deno bench bench/mqtt_bench.ts`: the MQTT codec of the broker.
 *
 * The time per iteration is for all packets of an input: 1,000 of them.
 *
 * @module
 */
import { ByteWriter } from "../src/common/byte_writer.ts";
import { appendAcknowledgements } from "../src/broker/codec/acknowledgement.ts";
import { PacketDecoder } from "../src/broker/codec/packet_decoder.ts";
import { PacketType, type Version } from "../src/broker/codec/packets.ts";
import { publishFlags } from "../src/broker/codec/publish.ts";
import {
  encodeDeliveryProperties,
  PublishEncoder,
} from "../src/broker/codec/publish_encoder.ts";
import { PublishRun } from "../src/broker/codec/publish_run.ts";

const COUNT = 1000;
const MAX_PACKET_BYTES = 1 << 20;
const encoder = new TextEncoder();
const VERSIONS: readonly Version[] = [4, 5];

/** CONNECT of a client `c`. */
const CONNECT: Record<Version, Uint8Array> = {
  4: Uint8Array.of(
    ...[0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x63],
  ),
  5: Uint8Array.of(
    ...[0x10, 14, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 1, 0x63],
  ),
};

function connected(version: Version): PacketDecoder {
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  decoder.next(CONNECT[version], 0, CONNECT[version].length);
  return decoder;
}

/** Readings at QoS 1, as a client sends them. */
function publishes(version: Version, topics: number): Uint8Array {
  const out = new ByteWriter();
  for (let i = 0; i < COUNT; i++) {
    const name = `occupancy/data${topics > 1 ? `/${i % topics}` : ""}`;
    new PublishEncoder(name, encoder.encode(`${i % 1000},${i},1`))
      .append(out, version, publishFlags(1, false), i + 1);
  }
  return out.take();
}

for (const version of VERSIONS) {
  const group = `decode PUBLISH, level ${version}`;
  const decoder = connected(version);
  const input = publishes(version, 1);
  const mixed = publishes(version, 7);
  const run = new PublishRun(COUNT);
  const decodeAll = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at = decoder.end) {
      decoder.next(bytes, at, bytes.length);
    }
  };
  Deno.bench({
    name: "as a run",
    group,
    baseline: true,
    fn: () => {
      decoder.next(input, 0, input.length);
      decoder.nextRun(run, input, decoder.end, input.length);
      if (run.count !== COUNT - 1) throw new Error(`run of ${run.count}`);
    },
  });
  Deno.bench({ name: "one topic", group, fn: () => decodeAll(input) });
  Deno.bench({ name: "topic changes", group, fn: () => decodeAll(mixed) });
}

const out = new ByteWriter(1 << 20);
const ids = Uint16Array.from({ length: COUNT }, (_, i) => i + 1);
const extra = encodeDeliveryProperties(60, [7]);
const message = new PublishEncoder(
  "occupancy/changes/main",
  new Uint8Array(100),
);

Deno.bench({
  name: "PUBACK",
  group: "encode",
  fn: () => {
    out.at = 0;
    appendAcknowledgements(out, PacketType.Puback, ids);
  },
});
for (const version of VERSIONS) {
  Deno.bench({
    name: `PUBLISH of 100 bytes, QoS 1, level ${version}`,
    group: "encode",
    fn: () => {
      out.at = 0;
      for (let id = 1; id <= COUNT; id++) message.append(out, version, 2, id);
    },
  });
}
Deno.bench({
  name: "PUBLISH with properties of the delivery, level 5",
  group: "encode",
  fn: () => {
    out.at = 0;
    for (let id = 1; id <= COUNT; id++) message.append(out, 5, 2, id, extra);
  },
});
