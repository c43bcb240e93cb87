/** What the embedded broker counts, with real connections. */
import assert from "node:assert/strict";
import { needs } from "../../support/needs.ts";
import { RawConnection } from "../../support/raw_connection.ts";
import { until } from "../../support/until.ts";
import { RecordingBroker } from "../recording_broker.ts";

Deno.test({
  name: "the broker counts all packets and bytes of both directions",
  ...needs(),
  fn: async () => {
    await using server = await RecordingBroker.open({ runs: ["data/#"] });
    const { broker } = server;
    let sent = 0;
    let received = 0;
    await using client = await RawConnection.dial(server.port);
    client.onBytes = (bytes) => received += bytes.length;
    const write = client.write.bind(client);
    client.write = (...pieces) => {
      for (const { length } of pieces) sent += length;
      return write(...pieces);
    };
    await client.connect("counted", { version: 5 });
    await client.expect("connack");
    await client.subscribe("news", 1);
    // Stored by the server, at QoS 1 and 2, and passed on.
    for (let i = 1; i <= 20; i++) {
      await client.publish("data/x", "1,1,1", { qos: 1, id: i });
    }
    await client.publish("data/x", "2,2,2", { qos: 2, id: 21 });
    await client.publish("news", "hello", { qos: 1, id: 22 });
    const { messageId = 0 } = await client.take("publish");
    await client.send({ cmd: "puback", messageId });
    await client.send({ cmd: "pubrel", messageId: 21 });
    await client.take("pubcomp");
    await client.ping();
    await until(() => broker.brokerCounts!.bytesSent === received);
    const { packetsReceived, packetsSent, ...counts } = broker.brokerCounts!;
    // CONNECT, SUBSCRIBE, 22 PUBLISH, PUBACK, PUBREL, PINGREQ.
    assert.equal(packetsReceived, 27);
    // CONNACK, SUBACK, 21 PUBACK, PUBREC, PUBLISH, PUBCOMP, PINGRESP.
    assert.equal(packetsSent, 27);
    assert.equal(counts.connections, 1);
    assert.equal(counts.publishReceived, 22);
    assert.equal(counts.publishSent, 1);
    assert.equal(counts.payloadBytesReceived, 22 * 5);
    assert.equal(counts.payloadBytesSent, 5);
    assert.equal(counts.bytesReceived, sent);
    assert.equal(counts.publishDropped, 0);
    const refused = packetsSent;
    await using method = await RawConnection.dial(server.port);
    await method.connect("refused", {
      version: 5,
      properties: { authenticationMethod: "x" },
    });
    await method.expect("connack");
    assert.equal(broker.brokerCounts!.packetsSent, refused + 1);
  },
});

Deno.test({
  name: "dropped messages and expired sessions are counted",
  ...needs(),
  fn: async () => {
    await using server = await RecordingBroker.open({
      limits: { sessions: { maxMessages: 3, maxExpiry: 1 } },
    });
    const { broker } = server;
    await using away = await RawConnection.open(server.port, "away", {
      clean: false,
    });
    await away.subscribe("news", 1);
    await away.disconnect();
    await using publisher = await RawConnection.open(server.port, "publisher");
    for (let i = 1; i <= 10; i++) {
      await publisher.publish("news", `${i}`, { qos: 1, id: i });
    }
    await publisher.expectAll("puback", 10);
    assert.equal(broker.brokerCounts!.publishDropped, 7);
    assert.equal(broker.brokerState!.queuedMessages, 3);
    await until(() => broker.brokerCounts!.expiredSessions === 1);
    assert.equal(broker.brokerState!.sessions, 1);
  },
});
