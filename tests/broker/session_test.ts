import { deepEqual, equal, ok } from "node:assert/strict";
import { Harness, OFFLINE } from "./harness.ts";
import {
  connectFrame,
  frame,
  publishFrame,
  RawClient,
  readPublish,
  Type,
} from "./raw_client.ts";

const encoder = new TextEncoder();
const PERSISTENT = { clean: false };

Deno.test({
  name:
    "createBroker() keeps what the server retains, and forgets it for an empty message",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const state = encoder.encode("online");
    await server.broker.publish("state", state, { qos: 1, retain: true });
    {
      using client = await RawClient.connect(server.at, "a");
      await client.subscribe("state", 1);
      const { text, retain, qos } = readPublish(
        await client.take(Type.PUBLISH),
      );
      deepEqual([text, retain, qos], ["online", true, 1]);
    }
    await server.broker.publish("state", new Uint8Array(0), { retain: true });
    await server.broker.publish("last", state, { retain: true });
    using client = await RawClient.connect(server.at, "b");
    await client.subscribe("+");
    equal(readPublish(await client.take(Type.PUBLISH)).topic, "last");
  },
});

Deno.test({
  name:
    "createBroker() sends a session that comes back what it missed, in order, repeats marked",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    const publish = (text: string, qos: 0 | 1) =>
      server.broker.publish("changes", encoder.encode(text), { qos });
    {
      using client = await RawClient.connect(server.at, "keeper", PERSISTENT);
      await client.subscribe("changes", 1);
      // Two that match it: it is sent the message once all the same.
      await client.subscribe("#", 1);
      await publish("unacknowledged", 1);
      await client.take(Type.PUBLISH);
      await client.leave();
    }
    await publish("missed at QoS 0", 0);
    for (let i = 0; i < 200; i++) await publish(`missed ${i}`, 1);

    using client = await RawClient.dial(server.at);
    await client.send(connectFrame("keeper", PERSISTENT));
    const { body } = await client.take(Type.CONNACK);
    equal(body[0], 1); // session present (3.2.2.2)
    const seen = (await client.takeAll(Type.PUBLISH, 201)).map(readPublish);
    const [first, ...rest] = seen;
    deepEqual([first!.text, first!.dup], ["unacknowledged", true]);
    deepEqual(
      rest.map(({ text, dup, retain }) => [text, dup, retain]),
      rest.map((_, i) => [`missed ${i}`, false, false]),
    );
    equal(new Set(seen.map(({ id }) => id)).size, 201);
    // Acknowledged is forgotten; live goes on.
    await client.send(...seen.map(({ id }) => frame(0x40, id)));
    await publish("live", 1);
    equal(readPublish(await client.take(Type.PUBLISH)).text, "live");
    await client.leave();

    using again = await RawClient.connect(server.at, "keeper", PERSISTENT);
    equal(readPublish(await again.take(Type.PUBLISH)).text, "live");
  },
});

Deno.test({
  name:
    "createBroker() says CONNACK first and keeps order, when a session comes back amid traffic",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({ maxSessionMessages: 100_000 });
    {
      using client = await RawClient.connect(server.at, "amid", PERSISTENT);
      await client.subscribe("changes", 1);
      await client.leave();
    }
    let sent = 0;
    let stop = false;
    const publishing = (async () => {
      while (!stop) {
        const text = encoder.encode(`${sent++}`);
        await server.broker.publish("changes", text, { qos: 1 });
        await new Promise((done) => setImmediate(done)); // others' turn
      }
    })();
    let expected = 0;
    try {
      for (let round = 0; round < 20; round++) {
        using client = await RawClient.dial(server.at);
        await client.send(connectFrame("amid", PERSISTENT));
        await client.take(Type.CONNACK);
        let last = -1;
        for (let i = 0; i < 100; i++) {
          const { text, id } = readPublish(await client.take(Type.PUBLISH));
          if (i === 0) {
            ok(Number(text) <= expected, `lost ${expected} to ${text}`);
          } else equal(Number(text), last + 1);
          last = Number(text);
          await client.send(frame(0x40, id));
        }
        expected = last + 1;
      }
    } finally {
      stop = true;
      await publishing;
    }
    deepEqual(server.full, []);
  },
});

Deno.test({
  name:
    "createBroker() bounds a session by messages and by bytes, says so, and goes on when it has room",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open({
      maxSessionMessages: 10,
      maxSessionBytes: 1000,
    });
    {
      using client = await RawClient.connect(server.at, "away", PERSISTENT);
      await client.subscribe("changes", 1);
      await client.leave();
    }
    const publish = (text: string) =>
      server.broker.publish("changes", encoder.encode(text), { qos: 1 });
    for (let i = 0; i < 15; i++) await publish(`${i}`);
    deepEqual(server.full, ["away"]);
    {
      using client = await RawClient.connect(server.at, "away", PERSISTENT);
      const seen = (await client.takeAll(Type.PUBLISH, 10)).map(readPublish);
      deepEqual(seen.map(({ text }) => Number(text)), [...seen.keys()]);
      await client.send(...seen.map(({ id }) => frame(0x40, id)));
      await client.ping();
      // There, it is sent more than its session holds.
      for (let i = 0; i < 15; i++) await publish(`live ${i}`);
      await client.takeAll(Type.PUBLISH, 15);
    }
    {
      using client = await RawClient.connect(server.at, "away", PERSISTENT);
      const seen = (await client.takeAll(Type.PUBLISH, 10)).map(readPublish);
      deepEqual(seen.map(({ dup }) => dup), seen.map(() => true));
      await client.send(...seen.map(({ id }) => frame(0x40, id)));
      await client.ping();
    }
    await publish("x".repeat(600));
    await publish("y".repeat(600));
    using client = await RawClient.connect(server.at, "away", PERSISTENT);
    ok(readPublish(await client.take(Type.PUBLISH)).text.startsWith("x"));
    await publish("end");
    equal(readPublish(await client.take(Type.PUBLISH)).text, "end");
  },
});

Deno.test({
  name:
    "createBroker() forgets a session when its client connects with a clean one",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    {
      using client = await RawClient.connect(server.at, "fickle", PERSISTENT);
      await client.subscribe("changes", 1);
      await client.leave();
    }
    await server.broker.publish("changes", encoder.encode("old"), { qos: 1 });
    {
      using _clean = await RawClient.connect(server.at, "fickle");
    }
    using client = await RawClient.dial(server.at);
    await client.send(connectFrame("fickle", PERSISTENT));
    equal((await client.take(Type.CONNACK)).body[0], 0);
    await client.subscribe("changes", 1);
    await server.broker.publish("changes", encoder.encode("new"), { qos: 1 });
    equal(readPublish(await client.take(Type.PUBLISH)).text, "new");
  },
});

Deno.test({
  name: "createBroker() lets the newer of two clients with one id have it",
  ignore: OFFLINE,
  async fn() {
    await using server = await Harness.open();
    using older = await RawClient.connect(server.at, "same");
    using newer = await RawClient.connect(server.at, "same");
    await older.ended(); // MQTT 3.1.1, 3.1.4-2
    await newer.send(publishFrame("data", "1,2,3", 1));
    await newer.take(Type.PUBACK);
  },
});
