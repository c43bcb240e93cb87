/** Events of sources, by a server process: while its broker works, and after it was away. */
import assert from "node:assert/strict";
import type { SourceEvent } from "../../src/protocol/mod.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { occupancy } from "../support/processes.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { freePort } from "../support/temp.ts";
import { takeJson } from "./support.ts";

const EVENTS = "occupancy/source/+/event";
const SILENT_AFTER_MS = 4000;
const OPTIONS = ["--silent-after", "4s", "--store", "memory:", "--no-http"];

/** Publishes a reading at QoS 1. */
async function report(client: RawConnection, source: string): Promise<void> {
  const payload = JSON.stringify({ source, cells: [[1, 2, 1]] });
  const topic = "occupancy/data";
  await client.write(encodePublish(topic, payload, { qos: 1, id: 7 }));
  await client.take("puback");
}

async function nextEvent(client: RawConnection): Promise<SourceEvent> {
  return await takeJson(client);
}

Deno.test({
  name:
    "a source that no longer reports has one event, and one when it is back",
  ...needs(),
  fn: async () => {
    const port = freePort();
    const listen = ["--listen", `127.0.0.1:${port}`];
    await using server = occupancy(["server", ...listen, ...OPTIONS]);
    await server.waitFor(/Ready/);
    await using sensor = await RawConnection.open(port, "sensor");
    await using watcher = await RawConnection.open(port, "watcher");
    await watcher.subscribe(EVENTS);
    await report(sensor, "hall/7");
    const silent = await nextEvent(watcher);
    const { source, event, time, last } = silent;
    assert.deepEqual([source, event], ["hall/7", "silent"]);
    assert.ok(time - last >= SILENT_AFTER_MS, `${time - last} ms`);
    await report(sensor, "hall/7");
    const back = await nextEvent(watcher);
    assert.deepEqual(back, { ...silent, event: "back", time: back.time });
    // The events alternate: the next one is silent again.
    const again = await nextEvent(watcher);
    assert.equal(again.event, "silent");
    assert.ok(again.last >= back.time, "the reading in between");
  },
});

Deno.test({
  name: "no source is silent because the broker was away",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const args = ["server", "--broker", broker.url, ...OPTIONS];
    await using server = occupancy(args);
    await server.waitFor(/Ready/);
    {
      await using sensor = await RawConnection.open(broker.port, "sensor");
      await report(sensor, "cam-7");
    }
    // Longer than --silent-after, of which a part is before it.
    await broker.kill();
    await server.waitFor(/Disconnected from the broker/);
    await broker.start();
    await server.waitFor(/Reconnected/);
    const reconnected = Date.now();
    await using watcher = await RawConnection.open(broker.port, "watcher");
    await watcher.subscribe(EVENTS);
    const { source, event, time, last } = await nextEvent(watcher);
    assert.deepEqual([source, event], ["cam-7", "silent"]);
    // The log line may arrive a little later than the connection.
    const listened = time - reconnected;
    assert.ok(listened >= SILENT_AFTER_MS - 500, `${listened} ms`);
    assert.ok(time - last >= SILENT_AFTER_MS);
  },
});
