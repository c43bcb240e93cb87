import { deepEqual, equal, ok } from "node:assert/strict";
import { Harness, OFFLINE } from "./harness.ts";
import {
  concat,
  idOf,
  publishFrame,
  RawClient,
  readPublish,
  Type,
} from "./raw_client.ts";

const PING = Uint8Array.of(0xc0, 0);

Deno.test({
  name: "acknowledge() lets the PUBACK go, and nothing else does",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ prompt: false });
    using client = await RawClient.connect(server.at, "a");
    await client.send(publishFrame("data", "1,2,3", 7), PING);
    await server.receives(1);
    // The answer to what came after it: the acknowledgement is not on its way.
    await client.take(Type.PINGRESP);
    server.broker.acknowledge(server.received);
    equal(idOf(await client.take(Type.PUBACK)), 7);
  },
});

Deno.test({
  name:
    "acknowledge() keeps each client's order, when topics, times and QoS are mixed",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ prompt: false });
    using client = await RawClient.connect(server.at, "a");
    using other = await RawClient.connect(server.at, "b");
    // One chunk: held, free, held at QoS 0, free, held.
    await client.send(
      publishFrame("data", "first", 1),
      publishFrame("elsewhere", "free", 2),
      publishFrame("data", "at most once"),
      publishFrame("elsewhere", "free", 3),
      publishFrame("data/l2", "last", 4),
      PING,
    );
    await other.send(publishFrame("data", "other", 9));
    await server.receives(4);
    await client.take(Type.PINGRESP);
    // The last first: it must wait for those before it, but not for another client.
    const [first, zero, last] = server.received
      .filter(({ payload }) => payload.toString() !== "other");
    const others = server.received
      .filter(({ payload }) => payload.toString() === "other");
    server.broker.acknowledge([last!, ...others]);
    equal(idOf(await other.take(Type.PUBACK)), 9);
    server.broker.acknowledge([first!]);
    deepEqual((await client.takeAll(Type.PUBACK, 2)).map(idOf), [1, 2]);
    server.broker.acknowledge([zero!]);
    deepEqual((await client.takeAll(Type.PUBACK, 2)).map(idOf), [3, 4]);
  },
});

Deno.test({
  name:
    "acknowledge() serves 10,000 messages in a burst of QoS 0, 1 and 2, in order",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ prompt: false });
    using client = await RawClient.connect(server.at, "burst");
    const count = 10_000;
    const frames: Uint8Array[] = [];
    const expected: string[] = [];
    for (let i = 1; i <= count; i++) {
      expected.push(`one ${i}`);
      frames.push(publishFrame("data", `one ${i}`, i));
      if (i % 3 === 0) {
        expected.push(`zero ${i}`);
        frames.push(publishFrame("data/l2", `zero ${i}`));
      }
      if (i % 100 === 0) {
        expected.push(`two ${i}`);
        const id = 20_000 + i;
        frames.push(publishFrame("data", `two ${i}`, id, { qos: 2 }));
      }
    }
    const sent = client.send(concat(frames));
    // As the server does it: all that has come so far, at the end of each turn.
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
        (next.type === Type.PUBREC ? recs : acks).push(idOf(next));
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
    "acknowledge() passes over messages of clients that are gone, twice acknowledged, or not ours",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ prompt: false });
    {
      using client = await RawClient.connect(server.at, "leaver");
      await client.send(
        publishFrame("data", "1", 1),
        publishFrame("data", "2"),
      );
      await server.receives(2);
    }
    using watcher = await RawClient.connect(server.at, "watcher");
    const ours = [...server.received];
    server.broker.acknowledge(ours);
    server.broker.acknowledge(ours);
    server.broker.acknowledge([{
      topic: "data",
      payload: new Uint8Array(0),
      qos: 1,
      retain: false,
    }]);
    // It sends them again, as a client must, and is served.
    using again = await RawClient.connect(server.at, "leaver");
    await again.send(publishFrame("data", "1", 1, { dup: true }));
    await server.receives(3);
    server.broker.acknowledge(server.received);
    await again.take(Type.PUBACK);
    await watcher.ping();
  },
});

Deno.test({
  name: "acknowledge() lets other subscribers have the message, and not before",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ prompt: false });
    using watcher = await RawClient.connect(server.at, "watcher");
    await watcher.subscribe("data/#", 1);
    using client = await RawClient.connect(server.at, "a");
    await client.send(
      publishFrame("data/l2", "kept", 1, { retain: true }),
      publishFrame("data", "free"),
    );
    await server.receives(2);
    deepEqual(server.received.map(({ retain }) => retain), [false, false]);
    await watcher.ping();
    server.broker.acknowledge(server.received);
    const seen = (await watcher.takeAll(Type.PUBLISH, 2)).map(readPublish);
    deepEqual(seen.map(({ text }) => text).sort(), ["free", "kept"]);
    deepEqual(seen.map(({ retain }) => retain), [false, false]);

    using late = await RawClient.connect(server.at, "late");
    await late.subscribe("data/+");
    const kept = readPublish(await late.take(Type.PUBLISH));
    deepEqual([kept.text, kept.retain], ["kept", true]);
  },
});

Deno.test({
  name:
    "createBroker() hands a QoS 2 message over once, though it is sent again before PUBREL",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const message = (dup: boolean) =>
      publishFrame("data", "once", 5, { qos: 2, dup });
    {
      using client = await RawClient.connect(server.at, "two", {
        clean: false,
      });
      await client.send(message(false));
      await client.take(Type.PUBREC);
    }
    using client = await RawClient.connect(server.at, "two", { clean: false });
    await client.send(message(true));
    await client.take(Type.PUBREC);
    await client.send(Uint8Array.of(0x62, 2, 0, 5)); // PUBREL
    await client.take(Type.PUBCOMP);
    equal(server.received.length, 1);
    await client.send(message(false)); // released: this is another message
    await client.take(Type.PUBREC);
    equal(server.received.length, 2);
  },
});

Deno.test({
  name: "createBroker() hands over the will of a client that is lost",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    {
      using _client = await RawClient.connect(server.at, "mortal", {
        will: { topic: "data", payload: "0,0,0" },
      });
    }
    await server.receives(1);
    deepEqual(server.texts(), ["0,0,0"]);
  },
});

Deno.test({
  name:
    "publish() hands the server what it publishes to a topic of its own subscriptions",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    await server.broker.publish("request", new Uint8Array([1]), { qos: 1 });
    await server.broker.publish("elsewhere", new Uint8Array([2]), { qos: 1 });
    deepEqual(server.received.map(({ topic }) => topic), ["request"]);
  },
});

for (const size of [10, 1_000, 500_000]) {
  Deno.test({
    name:
      `unacknowledged messages of ${size} bytes bound what is read; acknowledging lets all in`,
    ignore: OFFLINE,
    async fn() {
      await using server = await Harness.open({ prompt: false });
      using watcher = await RawClient.connect(server.at, "watcher");
      await watcher.subscribe("other");
      using client = await RawClient.connect(server.at, "flood");
      // 100 MB at most: far more than sockets and lanes hold.
      const count = Math.min(1_000_000, 100_000_000 / size);
      const group = Math.max(1, count / 1_000);
      const message = publishFrame("data", new Uint8Array(size));
      const bytes = concat(Array.from({ length: group }, () => message));
      let sent = 0;
      const sending = (async () => {
        for (; sent < count; sent += group) await client.send(bytes);
      })();
      // Others are served meanwhile; the sender comes to a stand.
      let before = -1;
      while (sent > before) {
        before = sent;
        for (let i = 0; i < 300; i++) {
          await server.broker.publish("other", new Uint8Array(1));
          await watcher.take(Type.PUBLISH);
        }
      }
      ok(sent < count, "all of it was read");
      for (let done = 0; done < count;) {
        const held = server.received.slice(done);
        server.broker.acknowledge(held);
        done += held.length;
        await server.broker.publish("other", new Uint8Array(1));
        await watcher.take(Type.PUBLISH);
      }
      await sending;
      deepEqual(server.dropped, []);
    },
  });
}
