/** Large messages to clients that read them: promptly, or slowly. */
import { deepEqual, equal } from "node:assert/strict";
import { Outbox } from "../../src/server/outbox.ts";
import { fakeContext } from "../server/support.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { serverLog } from "../support/server_log.ts";
import { within } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const MB = 1_000_000;

Deno.test({
  name: "a client that reads promptly gets a reply in 24 parts of 8 MB",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("reply", 1);
    const log: string[] = [];
    const context = fakeContext({
      link: server.broker,
      log: serverLog((line) => log.push(line)),
    });
    const sent = Promise.withResolvers<void>();
    const outbox: Outbox = new Outbox(context, {
      onIdle: () => {},
      onRoom: () => void outbox.publish(Infinity),
    });
    const part = new Uint8Array(8 * MB);
    outbox.add({
      topic: "reply",
      body: { length: 24, bytes: 24 * part.length, part: () => part },
      correlationData: undefined,
      contentType: undefined,
    }, sent.resolve);
    outbox.publish(Infinity);
    for (let i = 0; i < 24; i++) {
      const { payload, messageId } = await reader.expect("publish");
      equal(payload.length, part.length);
      await reader.send({ cmd: "puback", messageId: messageId! });
    }
    await within(sent.promise, "the end of the reply", 15_000);
    deepEqual(log, []);
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name: "a client that reads promptly gets one message above maxUnsentBytes",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { connection: { maxUnsentBytes: 5 * MB } },
    });
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("reply", 1);
    await reader.subscribe("changes");
    const reply = new Uint8Array(40 * MB);
    // While it is sent, smaller messages wait behind it.
    const published = [server.broker.publish("reply", reply, { qos: 1 })];
    for (let i = 1; i <= 20; i++) {
      published.push(server.broker.publish("changes", new Uint8Array(i)));
    }
    const received = await reader.expectAll("publish", 21);
    const lengths = received.map(({ payload }) => payload.length);
    const { messageId } = received[0]!;
    await reader.send({ cmd: "puback", messageId: messageId! });
    deepEqual(lengths, [
      reply.length,
      ...Array.from(lengths.slice(1).keys(), (i) => i + 1),
    ]);
    await Promise.all(published);
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "messages of all QoS that are published at once arrive in the order of publication",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("a", 1);
    await reader.subscribe("b");
    await using publisher = await RawConnection.open(server.port, "publisher");
    const encoder = new TextEncoder();
    const published = [];
    const sent = [];
    for (let i = 0; i < 60; i++) {
      const qos = i % 3 === 0 ? 1 : 0;
      const topic = i % 2 === 0 ? "a" : "b";
      const retain = i % 7 === 0;
      sent.push(`${topic} ${i}`);
      published.push(
        server.broker.publish(topic, encoder.encode(`${i}`), { qos, retain }),
      );
    }
    await Promise.all(published);
    // The same from another client, in one write.
    const packets = [];
    for (let i = 60; i < 120; i++) {
      const qos = i % 3 as 0 | 1 | 2;
      const topic = i % 2 === 0 ? "a" : "b";
      sent.push(`${topic} ${i}`);
      packets.push(encodePublish(topic, `${i}`, { qos, id: i }));
    }
    await publisher.write(...packets);
    const got = (await reader.expectAll("publish", 120))
      .map(({ topic, payload }) => `${topic} ${payload}`);
    deepEqual(got.slice(0, 60), sent.slice(0, 60));
    deepEqual(got.slice(60).sort(), sent.slice(60).sort());
  },
});
