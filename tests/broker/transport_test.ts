import { deepEqual, equal, ok } from "node:assert/strict";
import cert from "./fixtures/cert.pem" with { type: "text" };
import key from "./fixtures/key.pem" with { type: "text" };
import { Buffer } from "node:buffer";
import { needs } from "../support/needs.ts";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
} from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { within } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const LARGE_PACKET_BYTES = 20_000_000;

/** Bytes in which a shift or a loss is visible. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

Deno.test({
  name: "createBroker() receives a burst of 200,000 messages at QoS 0 in order",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using client = await RawConnection.open(server.port, "flood");
    const count = 200_000;
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      frames.push(encodePublish("data", `${i},0,1`));
    }
    await client.write(Buffer.concat(frames));
    await server.untilReceived(count);
    equal(server.received.length, count);
    const wrong = server.texts().findIndex((text, i) => text !== `${i},0,1`);
    equal(wrong, -1);
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name:
    "createBroker() sends a burst of 50,000 messages at QoS 0 to a subscriber in order",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using subscriber = await RawConnection.open(server.port, "reader");
    await subscriber.subscribe("other/#");
    await using client = await RawConnection.open(server.port, "flood");
    const count = 50_000;
    const frames: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      frames.push(encodePublish("other/a", `${i}`));
    }
    const sent = client.write(Buffer.concat(frames));
    for (let i = 0; i < count; i++) {
      equal(String((await subscriber.expect("publish")).payload), `${i}`);
    }
    await sent;
  },
});

Deno.test({
  name: "createBroker() receives and sends a packet of 20 MB",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    const payload = pattern(LARGE_PACKET_BYTES);
    await using client = await RawConnection.open(server.port, "large");
    await client.subscribe("map");
    await client.write(encodePublish("data", payload, { id: 1 }));
    await client.expect("puback");
    equal(Buffer.compare(server.received[0]!.payload, payload), 0);

    const published = server.broker.publish("map", payload);
    const received = await client.expect("publish");
    equal(Buffer.compare(received.payload, payload), 0);
    await published;
  },
});

Deno.test({
  name: "createBroker() serves mqtt.js over WebSocket, with bursts and 5 MB",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      ws: { host: "127.0.0.1", port: 0 },
    });
    await roundTrip(server, `ws://127.0.0.1:${server.broker.wsAddress!.port}`);
  },
});

Deno.test({
  name: "createBroker() serves mqtt.js over TLS, with bursts and 5 MB",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      tls: { host: "127.0.0.1", port: 0, cert, key },
    });
    await roundTrip(
      server,
      `mqtts://127.0.0.1:${server.broker.tlsAddress!.port}`,
    );
  },
});

Deno.test({
  name: "createBroker() serves mqtt.js over WebSocket with TLS",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      wss: { host: "127.0.0.1", port: 0, cert, key },
    });
    await roundTrip(
      server,
      `wss://127.0.0.1:${server.broker.wssAddress!.port}`,
    );
  },
});

/** Publishes 5 MB and 5,000 messages, and receives all of them. */
async function roundTrip(server: RecordingBroker, url: string): Promise<void> {
  const { default: mqtt } = await import("mqtt");
  const client = await within(
    mqtt.connectAsync(url, {
      ca: cert,
      protocolVersion: 4,
      reconnectPeriod: 0,
    }),
    "CONNACK",
    15_000,
  );
  try {
    const large = pattern(5_000_000);
    const back: Uint8Array[] = [];
    const all = Promise.withResolvers<void>();
    client.on("message", (_topic, payload) => {
      if (back.push(payload) === 5_002) all.resolve();
    });
    await client.subscribeAsync("data/#", { qos: 1 });
    await client.publishAsync("data/large", large as Buffer, { qos: 1 });
    for (let i = 0; i < 5_000; i++) client.publish("data", `${i}`);
    await client.publishAsync("data", "last", { qos: 1 });
    await within(
      all.promise,
      () => `5,002 messages (${back.length} received)`,
      15_000,
    );
    equal(Buffer.compare(back[0]!, large), 0);
    const text = back.slice(1).map((payload) => payload.toString());
    const expected = Array.from({ length: 5_000 }, (_, i) => `${i}`);
    deepEqual(text, [...expected, "last"]);
    equal(server.received.length, 5_002);
  } finally {
    await client.endAsync(true);
  }
}

Deno.test({
  name: "createBroker() receives packets byte by byte",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using client = await RawConnection.dial(server.port);
    const bytes = Buffer.concat([
      encodeConnect("slow"),
      encodePublish("data", "1,2,3", { id: 1 }),
      encodePublish("data", "4,5,6", { id: 2 }),
    ]);
    for (const byte of bytes) await client.write(Uint8Array.of(byte));
    await client.expect("connack");
    await client.expectAll("puback", 2);
    deepEqual(server.texts(), ["1,2,3", "4,5,6"]);
  },
});

Deno.test({
  name: "createBroker() receives packets that arrive together with CONNECT",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using client = await RawConnection.dial(server.port);
    const messages = Array.from(
      { length: 3_000 },
      (_, i) => encodePublish("data", `${i}`, { id: i + 1 }),
    );
    await client.write(
      encodeConnect("hasty"),
      encodeSubscribe("other"),
      ...messages,
    );
    await client.expect("connack"); // first (MQTT 3.1.1, 3.2)
    const types: string[] = [];
    while (types.length < 3_001) types.push((await client.next())!.cmd);
    equal(types.filter((type) => type === "puback").length, 3_000);
    ok(types.includes("suback"));
    deepEqual(server.texts(), messages.map((_, i) => `${i}`));
  },
});
