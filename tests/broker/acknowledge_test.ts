import { deepEqual, equal, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { needs } from "../support/needs.ts";
import { encode, encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { RecordingBroker } from "./recording_broker.ts";

Deno.test({
  name: "acknowledge() sends the PUBACK; the broker sends none before",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({ acknowledge: false });
    await using client = await RawConnection.open(server.port, "a");
    await client.write(
      encodePublish("data", "1,2,3", { id: 7 }),
      encode({ cmd: "pingreq" }),
    );
    await server.untilReceived(1);
    // The broker has answered the next packet, so it has sent no PUBACK.
    await client.expect("pingresp");
    server.broker.acknowledge(server.received);
    equal((await client.expect("puback")).messageId, 7);
  },
});

Deno.test({
  name:
    "acknowledge() keeps the order of each client, with any mix of topics and QoS",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({ acknowledge: false });
    await using client = await RawConnection.open(server.port, "a");
    await using other = await RawConnection.open(server.port, "b");
    // In one read: delayed, immediate, delayed at QoS 0, immediate, delayed.
    await client.write(
      encodePublish("data", "first", { id: 1 }),
      encodePublish("elsewhere", "free", { id: 2 }),
      encodePublish("data", "at most once"),
      encodePublish("elsewhere", "free", { id: 3 }),
      encodePublish("data/l2", "last", { id: 4 }),
      encode({ cmd: "pingreq" }),
    );
    await other.write(encodePublish("data", "other", { id: 9 }));
    await server.untilReceived(4);
    await client.expect("pingresp");
    // The last message waits for those before it, but not for another client.
    const isOther = (_: unknown, i: number) => server.texts()[i] === "other";
    const others = server.received.filter(isOther);
    const [first, zero, last] = server.received
      .filter((message) => !others.includes(message));
    server.broker.acknowledge([last!, ...others]);
    equal((await other.expect("puback")).messageId, 9);
    server.broker.acknowledge([first!]);
    deepEqual(await acknowledgedIds(client, 2), [1, 2]);
    server.broker.acknowledge([zero!]);
    deepEqual(await acknowledgedIds(client, 2), [3, 4]);
  },
});

Deno.test({
  name:
    "acknowledge() keeps the order of a burst of 10,000 messages of QoS 0, 1 and 2",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({ acknowledge: false });
    await using client = await RawConnection.open(server.port, "burst");
    const count = 10_000;
    const frames: Uint8Array[] = [];
    const expected: string[] = [];
    for (let i = 1; i <= count; i++) {
      expected.push(`one ${i}`);
      frames.push(encodePublish("data", `one ${i}`, { id: i }));
      if (i % 3 === 0) {
        expected.push(`zero ${i}`);
        frames.push(encodePublish("data/l2", `zero ${i}`));
      }
      if (i % 100 === 0) {
        expected.push(`two ${i}`);
        const id = 20_000 + i;
        frames.push(encodePublish("data", `two ${i}`, { id, qos: 2 }));
      }
    }
    const sent = client.write(Buffer.concat(frames));
    // Like the server: all received messages, once per turn of the event loop.
    let done = 0;
    const pump = setInterval(() => {
      server.broker.acknowledge(server.received.slice(done));
      done = server.received.length;
    }, 0);
    try {
      const acks: number[] = [];
      const recs: number[] = [];
      while (acks.length < count || recs.length < count / 100) {
        const next = (await client.next())!;
        (next.cmd === "pubrec" ? recs : acks).push(next.messageId!);
      }
      deepEqual(acks, Array.from({ length: count }, (_, i) => i + 1));
      deepEqual(recs, Array.from(recs, (_, i) => 20_100 + 100 * i));
    } finally {
      clearInterval(pump);
    }
    await sent;
    deepEqual(server.texts(), expected);
  },
});

Deno.test({
  name:
    "acknowledge() ignores messages of lost clients and other links, and repeated calls",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({ acknowledge: false });
    {
      await using client = await RawConnection.open(server.port, "lost");
      await client.write(
        encodePublish("data", "1", { id: 1 }),
        encodePublish("data", "2"),
      );
      await server.untilReceived(2);
    }
    await using watcher = await RawConnection.open(server.port, "watcher");
    const ours = [...server.received];
    server.broker.acknowledge(ours);
    server.broker.acknowledge(ours);
    server.broker.acknowledge([{
      topic: "data",
      payload: new Uint8Array(0),
      qos: 1,
      retain: false,
    }]);
    // The client must send the message again (MQTT 3.1.1, 4.4).
    await using again = await RawConnection.open(server.port, "lost");
    await again.write(encodePublish("data", "1", { id: 1, dup: true }));
    await server.untilReceived(3);
    server.broker.acknowledge(server.received);
    await again.expect("puback");
    await watcher.ping();
  },
});

Deno.test({
  name: "acknowledge() sends the message to its other subscribers",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({ acknowledge: false });
    await using watcher = await RawConnection.open(server.port, "watcher");
    await watcher.subscribe("data/#", 1);
    await using client = await RawConnection.open(server.port, "a");
    await client.write(
      encodePublish("data/l2", "kept", { id: 1, retain: true }),
      encodePublish("data", "free"),
    );
    await server.untilReceived(2);
    // The value of the first may be old: RETAIN says so.
    deepEqual(server.received.map(({ retain }) => retain), [true, false]);
    await watcher.ping();
    server.broker.acknowledge(server.received);
    const seen = await watcher.expectAll("publish", 2);
    deepEqual(seen.map(({ payload }) => String(payload)).sort(), [
      "free",
      "kept",
    ]);
    deepEqual(seen.map(({ retain }) => retain), [false, false]);

    await using late = await RawConnection.open(server.port, "late");
    await late.subscribe("data/+");
    const kept = await late.expect("publish");
    deepEqual([String(kept.payload), kept.retain], ["kept", true]);
  },
});

Deno.test({
  name:
    "createBroker() passes a QoS 2 message on once, if it is repeated before PUBREL",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const message = (dup: boolean) =>
      encodePublish("data", "once", { id: 5, qos: 2, dup });
    {
      await using client = await RawConnection.open(server.port, "two", {
        clean: false,
      });
      await client.write(message(false));
      await client.expect("pubrec");
    }
    await using client = await RawConnection.open(server.port, "two", {
      clean: false,
    });
    await client.write(message(true));
    await client.expect("pubrec");
    await client.send({ cmd: "pubrel", messageId: 5 });
    await client.expect("pubcomp");
    equal(server.received.length, 1);
    await client.write(message(false)); // another message: the first was released
    await client.expect("pubrec");
    equal(server.received.length, 2);
  },
});

Deno.test({
  name: "createBroker() passes the will of a lost client to the server",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    {
      await using _client = await RawConnection.open(server.port, "lost", {
        will: { topic: "data", payload: "0,0,0" },
      });
    }
    await server.untilReceived(1);
    deepEqual(server.texts(), ["0,0,0"]);
  },
});

Deno.test({
  name:
    "publish() returns a message to the server if the server subscribes to its topic",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await server.broker.publish("request", new Uint8Array([1]), { qos: 1 });
    await server.broker.publish("elsewhere", new Uint8Array([2]), { qos: 1 });
    deepEqual(server.received.map(({ topic }) => topic), ["request"]);
  },
});

for (const size of [10, 1_000, 500_000]) {
  Deno.test({
    name:
      `createBroker() stops reading at a limit of unacknowledged messages of ${size} bytes`,
    ...needs(),
    async fn() {
      await using server = await RecordingBroker.open({ acknowledge: false });
      await using watcher = await RawConnection.open(server.port, "watcher");
      await watcher.subscribe("other");
      await using client = await RawConnection.open(server.port, "flood");
      // Up to 100 MB: far more than sockets and queue can buffer.
      const count = Math.min(1_000_000, 100_000_000 / size);
      const group = Math.max(1, count / 1_000);
      const message = encodePublish("data", new Uint8Array(size));
      const bytes = Buffer.concat(Array.from({ length: group }, () => message));
      let sent = 0;
      const sending = (async () => {
        for (; sent < count; sent += group) await client.write(bytes);
      })();
      // The broker serves other clients while the sender waits.
      let before = -1;
      while (sent > before) {
        before = sent;
        for (let i = 0; i < 300; i++) {
          await server.broker.publish("other", new Uint8Array(1));
          await watcher.expect("publish");
        }
      }
      ok(sent < count, "all of it was read");
      for (let done = 0; done < count;) {
        const waiting = server.received.slice(done);
        server.broker.acknowledge(waiting);
        done += waiting.length;
        await server.broker.publish("other", new Uint8Array(1));
        await watcher.expect("publish");
      }
      await sending;
      deepEqual(server.dropped, []);
    },
  });
}

async function acknowledgedIds(
  client: RawConnection,
  count: number,
): Promise<(number | undefined)[]> {
  const packets = await client.expectAll("puback", count);
  return packets.map(({ messageId }) => messageId);
}
