/** How the embedded broker waits: for slow readers, and for the store. */
import { deepEqual, ok } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { NO_PERSISTENCE } from "../../src/broker/persistence/persistence.ts";
import { delay } from "../../src/common/async.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until, within } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

Deno.test({
  name: "a frozen reader holds up a publish of the server once, not others",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open();
    await using frozen = await RawConnection.open(server.port, "frozen");
    await frozen.subscribe("#", 1);
    frozen.freeze();
    await using good = await RawConnection.open(server.port, "good");
    await good.subscribe("r", 1);
    const publish = async () => {
      const published = server.broker.publish("r", new Uint8Array(100_000), {
        qos: 1,
      });
      const { messageId = 0 } = await good.expect("publish");
      await good.send({ cmd: "puback", messageId });
      // Far less than the time after which the frozen client is disconnected.
      await within(published, "the publish", 10_000);
    };
    for (let i = 0; i < 100; i++) await publish();
    deepEqual(server.dropped, []);
  },
});

Deno.test({
  name: "while the store fails, a client is read until 64 KiB of answers wait",
  ...needs(),
  async fn() {
    const waiting: (() => void)[] = [];
    let fails = true;
    await using server = await RecordingBroker.open({
      persistence: {
        ...NO_PERSISTENCE,
        afterCommit: (callback) => fails ? waiting.push(callback) : callback(),
      },
    });
    await using client = await RawConnection.open(server.port, "flood");
    const count = 40_000;
    const packet = encodePublish("kept", "x", { id: 1, retain: true });
    const sent = client.write(Buffer.concat(Array(count).fill(packet)));
    const received = () => server.broker.brokerCounts!.publishReceived;
    await until(() => received() > 16_000);
    for (let before = -1; before !== received();) {
      before = received();
      await delay(100);
    }
    ok(received() < 17_000, `${received()}`);
    fails = false;
    for (const callback of waiting) callback();
    await sent;
    await until(() => received() === count);
    await client.expectAll("puback", count);
  },
});

Deno.test({
  name: "the server publishes as fast as the slowest client acknowledges",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { sessions: { maxMessages: 200, maxInFlight: 10 } },
    });
    await using client = await RawConnection.open(server.port, "slow");
    await client.subscribe("r", 1);
    await using fast = await RawConnection.open(server.port, "fast");
    await fast.subscribe("#", 0);
    const publishAll = async () => {
      let inFlight: Promise<void>[] = [];
      for (let i = 0; i < 1000; i++) {
        inFlight.push(server.broker.publish("r", bytes(10), { qos: 1 }));
        if (inFlight.length < 32) continue;
        await Promise.all(inFlight);
        inFlight = [];
      }
    };
    const published = publishAll();
    for (let i = 0; i < 1000; i++) {
      const { messageId = 0 } = await client.expect("publish");
      await client.send({ cmd: "puback", messageId });
    }
    await published;
    deepEqual(server.full, []);
  },
});

Deno.test({
  name: "retained messages that wait go to the next connection of the client",
  ...needs(),
  async fn() {
    await using server = await RecordingBroker.open({
      limits: { sessions: { maxInFlight: 10 } },
    });
    const count = 200;
    for (let i = 0; i < count; i++) {
      await server.broker.publish(`r/${i}`, bytes(10), {
        qos: 1,
        retain: true,
      });
    }
    const options = { clean: false };
    await using first = await RawConnection.open(server.port, "r", options);
    await first.subscribe("r/+", 1);
    // Acknowledges the first of them, then another connection takes over.
    const seen = new Set<string>();
    const receive = async (client: RawConnection) => {
      const { topic, messageId = 0 } = await client.expect("publish");
      seen.add(topic);
      await client.send({ cmd: "puback", messageId });
    };
    await receive(first);
    await using second = await RawConnection.open(server.port, "r", options);
    while (seen.size < count) await within(receive(second), "a message", 5000);
  },
});

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}
