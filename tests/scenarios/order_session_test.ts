/**
 * What waits in the session of a client arrives before what is published after
 * it, also if the client handles some messages before earlier ones, as the server
 * does with its markers.
 */
import assert from "node:assert/strict";
import type { Incoming } from "../../src/mqtt/link.ts";
import { closeLink } from "../support/close_link.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";

const WAITING_MESSAGES = 3000;
const ROUNDS = 4;

Deno.test({
  name:
    `over Mosquitto, messages published during a backlog arrive after it, ${ROUNDS} times`,
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["max_queued_messages 0"]);
    for (let round = 1; round <= ROUNDS; round++) {
      await playRound(mosquitto, `session-${round}`);
    }
  },
});

async function playRound(
  { url, port }: { url: string; port: number },
  clientId: string,
): Promise<void> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const options = {
    url,
    clientId,
    subscriptions: [`${clientId}/#`],
    sessionExpiry: 60,
  };
  const before = new Connection(options);
  await before.open({ message: () => {} });
  await closeLink(before);
  await using publisher = await RawConnection.open(port, "publisher");
  await publisher.write(
    ...Array.from(
      { length: WAITING_MESSAGES },
      (_, i) => encodePublish(`${clientId}/waiting`, `${i}`, { id: i + 1 }),
    ),
  );
  for (let i = 0; i < WAITING_MESSAGES; i++) await publisher.take("puback");

  const arrived: string[] = [];
  const waiting: Incoming[] = [];
  const link = new Connection(options);
  await link.open({
    message: (message) => {
      arrived.push(message.topic);
      waiting.push(message);
    },
  });
  try {
    assert.equal(link.sessionPresent, true);
    for (let id = 1; arrived.length <= WAITING_MESSAGES; id++) {
      await until(() => waiting.length > 0);
      link.acknowledge([waiting.pop()!]); // as a marker
      link.acknowledge(waiting.splice(0));
      await publisher.publish(`${clientId}/new`, "", { id });
      await publisher.take("puback");
    }
  } finally {
    await closeLink(link);
  }
  const first = arrived.indexOf(`${clientId}/new`);
  assert.equal(first, WAITING_MESSAGES, "arrived before what had waited");
}
