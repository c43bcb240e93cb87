/**
 * Readings at QoS 2: a request is answered after them if it is sent at QoS 2
 * too, or after their PUBCOMP. The embedded broker needs neither.
 */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { type BrokerKind, startSystem } from "../support/system.ts";

/** Mosquitto accepts 20 messages at QoS 2 at a time. */
const READINGS = 15;
const ROUNDS = 300;
const REPLY_TOPIC = "occupancy/response/order";
const REQUEST_ID = READINGS + 1;

interface Case {
  readonly broker: BrokerKind;
  readonly request: 0 | 1 | 2;
  /** Whether the client waits for PUBCOMP before it sends the request. */
  readonly waits: boolean;
}

const CASES: readonly Case[] = [
  { broker: "mosquitto", request: 2, waits: false },
  { broker: "mosquitto", request: 1, waits: true },
  { broker: "mosquitto", request: 0, waits: true },
  { broker: "embedded", request: 2, waits: false },
  { broker: "embedded", request: 1, waits: false },
  { broker: "embedded", request: 0, waits: false },
];

for (const one of CASES) {
  const { broker, request, waits } = one;
  Deno.test({
    name: `readings at QoS 2, ${
      waits ? "their PUBCOMP, then " : ""
    }a request at QoS ${request} over ${broker}: the reply has all ${READINGS}, ${ROUNDS} times`,
    ...needs("mosquitto"),
    fn: async () => {
      await using system = await startSystem(broker);
      await using client = await RawConnection.open(system.port, "client");
      await client.subscribe(REPLY_TOPIC);
      for (let round = 1; round <= ROUNDS; round++) {
        await playRound(client, round, one);
      }
    },
  });
}

async function playRound(
  client: RawConnection,
  round: number,
  { request, waits }: Case,
): Promise<void> {
  const readings = Array.from(
    { length: READINGS },
    (_, n) =>
      encodePublish("occupancy/data", `${n},0,${round}`, { qos: 2, id: n + 1 }),
  );
  const asking = encodePublish(
    "occupancy/request",
    JSON.stringify({ transaction: round, replyTo: REPLY_TOPIC }),
    { qos: request, id: REQUEST_ID },
  );
  await client.write(
    Buffer.concat(waits ? readings : [...readings, asking]),
  );
  let completed = 0;
  let isAcknowledged = request === 0;
  let isAnswered = false;
  while (completed < READINGS || !isAcknowledged || !isAnswered) {
    const packet = await client.next();
    switch (packet?.cmd) {
      case "pubrec":
        await client.send({ cmd: "pubrel", messageId: packet.messageId! });
        break;
      case "puback":
        isAcknowledged = true;
        break;
      case "pubcomp":
        if (packet.messageId === REQUEST_ID) isAcknowledged = true;
        else if (++completed === READINGS && waits) await client.write(asking);
        break;
      case "publish": {
        const { transaction, cells } = JSON.parse(packet.payload.toString());
        assert.equal(transaction, round);
        const values = cells.map(([, , value]: number[]) => value);
        assert.deepEqual(values, Array(READINGS).fill(round));
        isAnswered = true;
        break;
      }
      default:
        assert.fail(`${packet?.cmd}`);
    }
  }
}
