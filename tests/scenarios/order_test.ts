/**
 * A request is answered after all readings that its client sent before it. The
 * client sends 1,000 readings and the request in one write, so only the broker
 * and the server can change their order.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { type BrokerKind, BROKERS, startSystem } from "../support/system.ts";
import { parseReply } from "../../src/protocol/mod.ts";

type QoS = 0 | 1;

const READINGS = 1000;
const SIDE = 100; // cells in a row
const REPLY_TOPIC = "occupancy/response/order";

const CASES: { data: QoS; request: QoS; rounds: number }[] = [
  { data: 0, request: 0, rounds: 200 },
  { data: 1, request: 1, rounds: 200 },
  { data: 1, request: 0, rounds: 50 },
  { data: 0, request: 1, rounds: 50 },
];

for (const broker of BROKERS) {
  for (const { data, request, rounds } of CASES) {
    Deno.test({
      name:
        `readings at QoS ${data}, a request at QoS ${request} over ${broker}: the reply has all ${READINGS}, ${rounds} times`,
      ...needs("mosquitto"),
      fn: () => playRounds(broker, data, request, rounds),
    });
  }
}

async function playRounds(
  kind: BrokerKind,
  data: QoS,
  request: QoS,
  rounds: number,
): Promise<void> {
  await using system = await startSystem(kind);
  await using client = await RawConnection.open(system.port, "client");
  await client.subscribe(REPLY_TOPIC, 0);
  for (let round = 1; round <= rounds; round++) {
    await client.write(burst(round, data, request));
    const reply = await nextReply(client);
    assert.equal(reply.transaction, round);
    assert.ok(reply.status === "ok");
    const { cells } = reply;
    assert.equal(cells.length, READINGS);
    for (let i = 0; i < READINGS; i++) {
      const n = cells.y[i]! * SIDE + cells.x[i]!;
      assert.equal(cells.value[i], valueOf(round, n), `round ${round}`);
    }
  }
}

/** Different in each round and each cell. */
function valueOf(round: number, n: number): number {
  return round * READINGS + n;
}

function burst(round: number, data: QoS, request: QoS): Uint8Array {
  const packets: Uint8Array[] = [];
  for (let n = 0; n < READINGS; n++) {
    const reading = `${n % SIDE},${Math.floor(n / SIDE)},${valueOf(round, n)}`;
    packets.push(
      encodePublish("occupancy/data", reading, { qos: data, id: n + 1 }),
    );
  }
  packets.push(encodePublish(
    "occupancy/request",
    JSON.stringify({ transaction: round, replyTo: REPLY_TOPIC }),
    { qos: request, id: READINGS + 1 },
  ));
  return Buffer.concat(packets);
}

async function nextReply(client: RawConnection) {
  const publish = await client.take("publish");
  if (publish.qos === 1) {
    await client.send({ cmd: "puback", messageId: publish.messageId! });
  }
  return parseReply(publish.payload);
}
