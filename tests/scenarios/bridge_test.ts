/**
 * Readings that pass through a bridge: it sends retained messages again at each
 * of its connections, and their age is unknown.
 */
import assert from "node:assert/strict";
import { cutProxy } from "../support/cut_proxy.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

/** Settings of an edge Mosquitto that sends readings to another broker. */
function bridgeTo(port: number, version = "mqttv311"): string[] {
  return [
    "connection central",
    `address 127.0.0.1:${port}`,
    "topic occupancy/data/# out 1",
    "cleansession true",
    "restart_timeout 1",
    `bridge_protocol_version ${version}`,
  ];
}

/** Publishes readings at QoS 1. */
async function publish(
  client: RawConnection,
  layer: string,
  payload: string,
  retain = false,
): Promise<void> {
  const topic = `occupancy/data/${layer}`;
  await client.write(encodePublish(topic, payload, { qos: 1, id: 7, retain }));
  await client.take("puback");
}

for (const kind of BROKERS) {
  for (const version of ["mqttv311", "mqttv50"]) {
    Deno.test({
      name:
        `a bridge (${version}) that sends retained readings again never makes them new (${kind})`,
      ...needs("mosquitto"),
      fn: async () => {
        await using system = await startSystem(kind);
        await using network = cutProxy(system.port);
        await using edge = await startMosquitto(
          bridgeTo(network.port, version),
        );
        await using sensor = await RawConnection.open(edge.port, "sensor");
        const time = Date.now() - 3_600_000;
        const refused = () => system.server.stats.refused.get("retained") ?? 0;
        // Until the bridge is connected, it drops what is not retained.
        await publish(sensor, "dated", `1,1,1,${time}`, true);
        await until(() => system.map.layer("dated")?.get(1, 1)?.value === 1);
        await publish(sensor, "live", "1,1,1");
        await publish(sensor, "kept", "1,1,1", true);
        await until(() => system.map.layer("live")?.get(1, 1)?.value === 1);
        await until(() => refused() >= 1);
        const before = refused();
        network.drop();
        await until(() => refused() > before, {
          what: "the bridge has sent it again",
        });
        assert.equal(system.map.layer("kept"), undefined);
        assert.equal(system.map.layer("dated")?.get(1, 1)?.time, time);
        // What is not retained still passes.
        await publish(sensor, "live", "1,1,2");
        await until(() => system.map.layer("live")?.get(1, 1)?.value === 2);
      },
    });
  }
}

Deno.test({
  name:
    "through Mosquitto, a subscriber with MQTT 3.1.1 cannot detect what a bridge sends again",
  ...needs("mosquitto"),
  fn: async () => {
    await using central = await startMosquitto();
    await using network = cutProxy(central.port);
    await using edge = await startMosquitto(bridgeTo(network.port));
    await using subscriber = await RawConnection.open(central.port, "reader");
    await subscriber.subscribe("occupancy/data/#", 1);
    await using sensor = await RawConnection.open(edge.port, "sensor");
    await publish(sensor, "kept", "1,1,1", true);
    assert.equal((await subscriber.take("publish")).retain, false);
    network.drop();
    const again = await subscriber.take("publish");
    assert.equal(again.topic, "occupancy/data/kept");
    assert.equal(again.retain, false, "docs/OPERATIONS.md says so");
  },
});
