import assert from "node:assert/strict";
import type { ISubscribePacket } from "mqtt-packet";
import { closeLink } from "../support/close_link.ts";
import {
  connack5,
  FakeBroker,
  grantSubscription,
} from "../support/fake_broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";

for (const version of [5, 4] as const) {
  Deno.test({
    name: version === 5
      ? "Connection asks for Retain As Published on the named filters only"
      : "Connection subscribes without options of MQTT 5 to a broker of 3.1.1",
    ...needs(),
    fn: async () => {
      const { Connection } = await import("../../src/mqtt/connection.ts");
      await using broker = new FakeBroker(
        version === 5 ? { five: connack5() } : {},
      );
      const link = new Connection({
        url: broker.url,
        clientId: "tester",
        subscriptions: ["data/#", "request"],
        liveSubscriptions: ["state"],
        retainAsPublished: ["data/#"],
      });
      const opened = link.open({ message: () => {} });
      const raw = await broker.acceptClient();
      const packet = await raw.take("subscribe") as ISubscribePacket;
      const found = packet.subscriptions.map(({ topic, qos, rap }) => [
        topic,
        qos,
        rap ?? false,
      ]);
      assert.deepEqual(found, [
        ["data/#", 1, version === 5],
        ["request", 1, false],
        ["state", 0, false],
      ]);
      await grantSubscription(raw, packet, 1);
      await opened;
      assert.equal(link.mqttVersion, version);
      await closeLink(link);
    },
  });
}

Deno.test({
  name: "Connection removes what an earlier run has subscribed to",
  ...needs("mosquitto"),
  fn: async () => {
    const { Connection } = await import("../../src/mqtt/connection.ts");
    await using mosquitto = await startMosquitto();
    const options = {
      url: mosquitto.url,
      clientId: "tester",
      sessionExpiry: 60,
    };
    const earlier = new Connection({
      ...options,
      subscriptions: ["data/#", "marker"],
    });
    await earlier.open({ message: () => {} });
    await closeLink(earlier);
    const topics: string[] = [];
    const link = new Connection({
      ...options,
      subscriptions: ["marker"],
      sharedSubscriptions: ["$share/g/data/#"],
      formerSubscriptions: ["data/#", "request"],
    });
    await link.open({ message: ({ topic }) => topics.push(topic) });
    assert.equal(link.sessionPresent, true);
    await link.publish("data/1", new Uint8Array(1), { qos: 1 });
    await link.publish("marker", new Uint8Array(1), { qos: 1 });
    await until(() => topics.includes("marker"));
    assert.deepEqual(topics, ["data/1", "marker"]);
    await closeLink(link);
  },
});
