/** What the broker counts, for $SYS and metrics. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { encode, encodeConnect, encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

Deno.test({
  name: "brokerCounts: packets, messages, payloads and bytes, both ways",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using client = await RawConnection.dial(server.port);
    let received = 0;
    client.onBytes = ({ length }) => received += length;
    const packets = [
      encodeConnect("counted"),
      encode({
        cmd: "subscribe",
        messageId: 1,
        subscriptions: [{ topic: "a", qos: 1 }],
      }),
      encodePublish("a", "12345", { id: 2 }),
      encodePublish("b", "678", { qos: 0 }),
      encode({ cmd: "pingreq" }),
    ];
    await client.write(...packets);
    const publish = await client.take("publish");
    await client.take("pingresp");
    const puback = encode({ cmd: "puback", messageId: publish.messageId! });
    await client.write(puback);
    await client.ping();
    const sent = [...packets, puback, encode({ cmd: "pingreq" })];
    const expected = {
      connections: 1,
      maxClients: 1,
      expiredSessions: 0,
      packetsReceived: sent.length,
      packetsSent: 6, // CONNACK, SUBACK, PUBLISH, PUBACK, two PINGRESP
      publishReceived: 2,
      publishSent: 1,
      publishDropped: 0,
      payloadBytesReceived: 8,
      payloadBytesSent: 5,
      bytesReceived: sent.reduce((sum, { length }) => sum + length, 0),
      bytesSent: received,
    };
    // The last bytes are counted after they were written.
    await until(() => server.broker.brokerCounts?.bytesSent === received);
    assert.deepEqual({ ...server.broker.brokerCounts }, expected);
  },
});
