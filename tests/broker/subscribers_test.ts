/** Whether the embedded broker knows of a receiver for a topic. */
import assert from "node:assert/strict";
import { KeptSubscriptions } from "../../src/broker/subscribers.ts";
import { needs } from "../support/needs.ts";
import { encode, encodePublish, encodeSubscribe } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";
import { RecordingBroker } from "./recording_broker.ts";

const TOPIC = "occupancy/response/me";

Deno.test({
  name: "hasSubscriber() follows subscriptions of clients, with any wildcards",
  ...needs(),
  fn: async () => {
    await using server = await RecordingBroker.open();
    const { broker } = server;
    const has = () => broker.hasSubscriber!(TOPIC);
    assert.equal(has(), false);
    const filters = [TOPIC, "occupancy/response/#", "occupancy/+/me", "#"];
    for (const filter of filters) {
      await using client = await RawConnection.open(server.port, "client");
      await client.subscribe(filter);
      assert.equal(has(), true, filter);
      assert.equal(broker.hasSubscriber!("occupancy/else/you"), filter === "#");
      await client.send({
        cmd: "unsubscribe",
        messageId: 2,
        unsubscriptions: [filter],
      });
      await client.take("unsuback");
      await until(() => !has());
      await client.subscribe(filter);
      assert.equal(has(), true, filter);
      await client.disconnect();
      await until(() => !has());
    }
  },
});

Deno.test({
  name:
    "hasSubscriber() knows kept sessions that store messages, until they end",
  ...needs(),
  fn: async () => {
    await using server = await RecordingBroker.open();
    const has = () => server.broker.hasSubscriber!(TOPIC);
    for (const filter of [TOPIC, "occupancy/response/+"]) {
      const open = (clean: boolean) =>
        RawConnection.open(server.port, "kept", { clean });
      {
        await using client = await open(false);
        await client.subscribe(filter, 1);
        await client.disconnect();
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
      assert.equal(has(), true, filter);
      {
        await using client = await open(true);
        await until(() => !has());
        await client.disconnect();
      }
      {
        await using client = await open(false);
        await client.subscribe(filter, 0);
        assert.equal(has(), true, "while it is connected");
        await client.disconnect();
      }
      await until(() => !has());
      {
        await using client = await open(true);
        await client.disconnect();
      }
    }
  },
});

for (const clean of [true, false]) {
  Deno.test({
    name: `a client that subscribes and requests in one write gets its reply, ${
      clean ? "without" : "with"
    } a kept session`,
    ...needs(),
    fn: async () => {
      await using system = await startSystem("embedded");
      for (let i = 0; i < 20; i++) {
        for (const qos of [0, 1] as const) {
          const id = `c${i}q${qos}`;
          await using client = await RawConnection.open(system.port, id, {
            clean,
          });
          const replyTo = `occupancy/response/${id}`;
          const request = JSON.stringify({ replyTo, transaction: id });
          await client.write(
            encodeSubscribe(replyTo, qos),
            encodePublish("occupancy/request", request, qos ? { id: 5 } : {}),
            encode({ cmd: "pingreq" }),
          );
          const { payload } = await client.take("publish");
          assert.equal(JSON.parse(payload.toString()).transaction, id);
        }
      }
    },
  });
}

Deno.test({
  name:
    "KeptSubscriptions.matches() searches few filters: with many, every topic may have a receiver",
  permissions: "none",
  fn: () => {
    const kept = new KeptSubscriptions();
    const filters = Array.from(
      { length: 100_000 },
      (_, i) => ({ topic: `other/+/${i}`, qos: 1 }),
    );
    kept.add("few", filters.slice(0, 100));
    assert.equal(kept.matches(TOPIC), false);
    kept.add("many", filters);
    for (let i = 0; i < 10_000; i++) assert.ok(kept.matches(TOPIC));
    kept.clear("many");
    assert.equal(kept.matches(TOPIC), false);
  },
});
