import { deepEqual, equal, ok } from "node:assert/strict";
import { needs } from "../support/needs.ts";
import {
  encodeConnect,
  encodePublish,
  type PublishPacket,
} from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { RecordingBroker } from "./recording_broker.ts";

const encoder = new TextEncoder();
const PERSISTENT = { clean: false };

Deno.test({
  name:
    "createBroker() stores retained messages; an empty one deletes the last",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const state = encoder.encode("online");
    await server.broker.publish("state", state, { qos: 1, retain: true });
    {
      await using client = await RawConnection.open(server.port, "a");
      await client.subscribe("state", 1);
      const { payload, retain, qos } = await client.expect("publish");
      deepEqual([String(payload), retain, qos], ["online", true, 1]);
    }
    await server.broker.publish("state", new Uint8Array(0), { retain: true });
    await server.broker.publish("last", state, { retain: true });
    await using client = await RawConnection.open(server.port, "b");
    await client.subscribe("+");
    equal((await client.expect("publish")).topic, "last");
  },
});

Deno.test({
  name:
    "createBroker() sends a resumed session its messages in order, repeats marked",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const publish = (text: string, qos: 0 | 1) =>
      server.broker.publish("changes", encoder.encode(text), { qos });
    {
      await using client = await RawConnection.open(
        server.port,
        "keeper",
        PERSISTENT,
      );
      await client.subscribe("changes", 1);
      // Two matching subscriptions: the client still receives the message once.
      await client.subscribe("#", 1);
      await publish("unacknowledged", 1);
      await client.expect("publish");
      await client.disconnect();
    }
    await publish("missed at QoS 0", 0);
    for (let i = 0; i < 200; i++) await publish(`missed ${i}`, 1);

    await using client = await RawConnection.dial(server.port);
    await client.write(encodeConnect("keeper", PERSISTENT));
    equal((await client.expect("connack")).sessionPresent, true);
    const seen: PublishPacket[] = [];
    while (seen.length < 201) {
      const message = await client.expect("publish");
      seen.push(message);
      // More are sent only after earlier ones are acknowledged.
      if (seen.length > 50) await acknowledge(client, [seen.at(-51)!]);
    }
    const [first, ...rest] = seen;
    deepEqual([String(first!.payload), first!.dup], ["unacknowledged", true]);
    deepEqual(
      rest.map(({ payload, dup, retain }) => [String(payload), dup, retain]),
      rest.map((_, i) => [`missed ${i}`, false, false]),
    );
    equal(new Set(seen.map(({ messageId }) => messageId)).size, 201);
    // Acknowledged messages are deleted; new ones are sent immediately.
    await acknowledge(client, seen.slice(-50));
    await publish("live", 1);
    equal(await nextText(client), "live");
    await client.disconnect();

    await using again = await RawConnection.open(
      server.port,
      "keeper",
      PERSISTENT,
    );
    equal(await nextText(again), "live");
  },
});

Deno.test({
  name:
    "createBroker() sends CONNACK first and keeps the order when a session is resumed under load",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { sessions: { maxMessages: 100_000 } },
    });
    {
      await using client = await RawConnection.open(
        server.port,
        "amid",
        PERSISTENT,
      );
      await client.subscribe("changes", 1);
      await client.disconnect();
    }
    let sent = 0;
    let stop = false;
    const publishing = (async () => {
      while (!stop) {
        const text = encoder.encode(`${sent++}`);
        await server.broker.publish("changes", text, { qos: 1 });
        await new Promise((done) => setImmediate(done)); // other tasks run
      }
    })();
    let expected = 0;
    try {
      for (let round = 0; round < 20; round++) {
        await using client = await RawConnection.dial(server.port);
        await client.write(encodeConnect("amid", PERSISTENT));
        await client.expect("connack");
        let last = -1;
        for (let i = 0; i < 100; i++) {
          const message = await client.expect("publish");
          const number = Number(message.payload);
          if (i === 0) {
            ok(number <= expected, `lost ${expected} to ${number}`);
          } else equal(number, last + 1);
          last = number;
          await acknowledge(client, [message]);
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
    "createBroker() limits the messages and bytes of a session, and reports a full one",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { sessions: { maxMessages: 10, maxBytes: 10_000 } },
    });
    {
      await using client = await RawConnection.open(
        server.port,
        "offline",
        PERSISTENT,
      );
      await client.subscribe("changes", 1);
      await client.disconnect();
    }
    const publish = (text: string) =>
      server.broker.publish("changes", encoder.encode(text), { qos: 1 });
    for (let i = 0; i < 15; i++) await publish(`${i}`);
    deepEqual(server.full, ["offline"]);
    {
      await using client = await RawConnection.open(
        server.port,
        "offline",
        PERSISTENT,
      );
      const seen = await client.expectAll("publish", 10);
      deepEqual(seen.map(({ payload }) => Number(payload)), [...seen.keys()]);
      await acknowledge(client, seen);
      await client.ping();
      // The limit also holds while the client is connected.
      for (let i = 0; i < 15; i++) await publish(`live ${i}`);
      await client.expectAll("publish", 10);
      await client.ping();
    }
    {
      await using client = await RawConnection.open(
        server.port,
        "offline",
        PERSISTENT,
      );
      const seen = await client.expectAll("publish", 10);
      deepEqual(seen.map(({ dup }) => dup), seen.map(() => true));
      await acknowledge(client, seen);
      await client.ping();
    }
    await publish("x".repeat(6000));
    await publish("y".repeat(6000));
    await using client = await RawConnection.open(
      server.port,
      "offline",
      PERSISTENT,
    );
    ok((await nextText(client)).startsWith("x"));
    await publish("end");
    equal(await nextText(client), "end");
  },
});

Deno.test({
  name:
    "createBroker() deletes a session when its client connects with a clean one",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    {
      await using client = await RawConnection.open(
        server.port,
        "fickle",
        PERSISTENT,
      );
      await client.subscribe("changes", 1);
      await client.disconnect();
    }
    await server.broker.publish("changes", encoder.encode("old"), { qos: 1 });
    {
      await using _clean = await RawConnection.open(server.port, "fickle");
    }
    await using client = await RawConnection.dial(server.port);
    await client.write(encodeConnect("fickle", PERSISTENT));
    equal((await client.expect("connack")).sessionPresent, false);
    await client.subscribe("changes", 1);
    await server.broker.publish("changes", encoder.encode("new"), { qos: 1 });
    equal(await nextText(client), "new");
  },
});

Deno.test({
  name: "createBroker() disconnects the older of two clients with one id",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using older = await RawConnection.open(server.port, "same");
    await using newer = await RawConnection.open(server.port, "same");
    await older.ended(); // MQTT 3.1.1, 3.1.4-2
    await newer.write(encodePublish("data", "1,2,3", { id: 1 }));
    await newer.expect("puback");
  },
});

async function nextText(client: RawConnection): Promise<string> {
  return String((await client.expect("publish")).payload);
}

async function acknowledge(
  client: RawConnection,
  messages: readonly PublishPacket[],
): Promise<void> {
  for (const { messageId } of messages) {
    await client.send({ cmd: "puback", messageId: messageId! });
  }
}
