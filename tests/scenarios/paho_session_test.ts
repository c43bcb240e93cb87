/** A paho client whose session is kept, over connections that are lost. */
import assert from "node:assert/strict";
import { needs, requireTool } from "../support/needs.ts";
import { encode, encodePublish, type QoS } from "../support/packets.ts";
import { ROOT, Running } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { startBroker } from "./broker_state_support.ts";

/** At each QoS. */
const MESSAGES = 5000;
const BURST = 100;
/** Messages between two losses of the connection. */
const BETWEEN_LOSSES = 2200;

Deno.test({
  name:
    "a paho client gets 10,000 messages over lost connections: each at QoS 1, each once at QoS 2, in order",
  ...needs("paho"),
  fn: async () => {
    await using folder = await tempDir();
    await using server = await startBroker(folder.path, [
      ...["--mqtt-queue", `${2 * MESSAGES}`],
    ]);
    await using client = new Running(requireTool("paho"), [
      `${ROOT}tests/scenarios/kept_session.py`,
      ...[`${server.port}`, `${BETWEEN_LOSSES}`],
    ]);
    await until(() => client.stdout.includes("subscribed"));
    await using sender = await RawConnection.open(server.port, "sender");
    for (let from = 0; from < MESSAGES; from += BURST) {
      await sendBurst(sender, 1, from);
      await sendBurst(sender, 2, from);
    }
    await send(sender, 1, ["last"]);
    await send(sender, 2, ["last"]);
    const { code, stdout, stderr } = await client.ended(60_000);
    assert.equal(code, 0, stderr);
    const lines = stdout.split("\n");
    assert.ok(lines.filter((line) => line === "again").length >= 4);
    const received = (qos: QoS) =>
      lines.filter((line) => line.startsWith(`${qos} `))
        .map((line) => line.slice(2));
    const expected = [
      ...Array.from({ length: MESSAGES }, (_, i) => `${i}`),
      "last",
    ];
    assert.deepEqual(received(2), expected);
    assert.deepEqual([...new Set(received(1))], expected);
  },
});

async function sendBurst(
  sender: RawConnection,
  qos: 1 | 2,
  from: number,
): Promise<void> {
  const payloads = Array.from({ length: BURST }, (_, i) => `${from + i}`);
  await send(sender, qos, payloads);
}

/** Publishes messages; resolves when all are acknowledged. */
async function send(
  sender: RawConnection,
  qos: 1 | 2,
  payloads: readonly string[],
): Promise<void> {
  const count = payloads.length;
  await sender.write(
    ...payloads.map((payload, i) =>
      encodePublish(`kept/${qos}`, payload, { qos, id: i + 1 })
    ),
  );
  if (qos === 1) {
    await sender.expectAll("puback", count);
    return;
  }
  await sender.expectAll("pubrec", count);
  await sender.write(
    ...payloads.map((_, i) => encode({ cmd: "pubrel", messageId: i + 1 })),
  );
  await sender.expectAll("pubcomp", count);
}
