/** Whether a broker has shared subscriptions, as a server of a group checks. */
import assert from "node:assert/strict";
import { LinkError } from "../../src/mqtt/link.ts";
import { timersEnded } from "../support/close_link.ts";
import {
  connack5,
  FakeBroker,
  grantSubscription,
} from "../support/fake_broker.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";

async function check(url: string): Promise<LinkError | undefined> {
  const { checkSharedSubscriptions } = await import(
    "../../src/mqtt/subscriptions.ts"
  );
  try {
    const [clientId, topic] = ["tester", "occupancy/server/check-1"];
    await checkSharedSubscriptions({ broker: { url }, clientId, topic });
  } catch (error) {
    assert.ok(error instanceof LinkError);
    return error;
  } finally {
    await timersEnded();
  }
}

Deno.test({
  name: "Mosquitto and the embedded broker have shared subscriptions",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    assert.equal(await check(mosquitto.url), undefined);
    const { createBroker } = await import("../../src/broker/broker.ts");
    const broker = createBroker({
      host: "127.0.0.1",
      port: 0,
      subscriptions: [],
    });
    await broker.open({ message: () => {} });
    const { address: { port } } = broker;
    assert.equal(await check(`mqtt://127.0.0.1:${port}`), undefined);
    await broker.close();
  },
});

Deno.test({
  name: "a broker of MQTT 5 that has no shared subscriptions is refused",
  ...needs(),
  fn: async () => {
    const properties = { sharedSubscriptionAvailable: false };
    await using broker = new FakeBroker({ five: connack5(0, properties) });
    const checked = check(broker.url);
    await broker.acceptClient();
    const { message, hint } = (await checked)!;
    assert.equal(
      message,
      `Cannot use --group: ${broker.url} has no shared subscriptions (it says so)`,
    );
    assert.match(hint!, /MQTT 5/);
  },
});

Deno.test({
  name:
    "a broker of MQTT 3.1.1 that takes a shared filter for a topic is refused",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const checked = check(broker.url);
    const client = await broker.acceptSubscriber();
    const { messageId } = await client.take("publish");
    await client.send({ cmd: "puback", messageId: messageId! });
    assert.match((await checked)!.message, /passes no message to one/);
  },
});

Deno.test({
  name: "a broker that refuses a shared filter is refused",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker({ five: connack5() });
    const checked = check(broker.url);
    const client = await broker.acceptClient();
    // Shared Subscriptions not supported (MQTT 5, 3.9.3).
    await grantSubscription(client, await client.take("subscribe"), 0x9e);
    assert.match((await checked)!.message, /it refuses one/);
  },
});

Deno.test({
  name: "a member publishes its birth before it shares the load",
  ...needs(),
  fn: async () => {
    const { Connection } = await import("../../src/mqtt/connection.ts");
    await using broker = new FakeBroker({ five: connack5() });
    const order: string[] = [];
    const link = new Connection({
      url: broker.url,
      clientId: "tester",
      subscriptions: ["own"],
      sharedSubscriptions: ["$share/g/data/#"],
      birth: { topic: "state/tester", payload: new Uint8Array(1) },
      receiveMaximum: 1000,
      beforeOpen: () => Promise.resolve(void order.push("check")),
    });
    const opened = link.open({ message: () => {} });
    const raw = await broker.acceptClient();
    await grantSubscription(raw, await raw.take("subscribe"), 1);
    const { topic, retain, messageId } = await raw.expect("publish");
    order.push(topic);
    assert.ok(retain);
    assert.deepEqual(raw.packets, [], "it waits for the acknowledgement");
    await raw.send({ cmd: "puback", messageId: messageId! });
    const shared = await raw.take("subscribe");
    order.push(shared.subscriptions[0]!.topic);
    await grantSubscription(raw, shared, 1);
    await opened;
    assert.deepEqual(order, ["check", "state/tester", "$share/g/data/#"]);
    void link.close();
    await raw.take("disconnect");
  },
});
