/** Silent sources of a group over a real broker. */
import assert from "node:assert/strict";
import type { SourceEvent } from "../../src/protocol/mod.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { type Member, startMemberWith } from "../support/group_member.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { encodePublish } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";

const EVENTS = "occupancy/source/+/event";
const SILENT_AFTER_MS = 1500;
const decoder = new TextDecoder();

let reports = 0;

/** Publishes a reading at QoS 1, of a cell of its own: none is late. */
async function report(client: RawConnection, source: string): Promise<void> {
  const id = ++reports;
  const payload = JSON.stringify({ source, cells: [[id, 2, 1]] });
  await client.write(encodePublish("occupancy/data", payload, { id }));
}

/** The events so far. */
function eventsOf({ packets }: RawConnection): SourceEvent[] {
  return packets.flatMap((packet) =>
    packet.cmd === "publish"
      ? [JSON.parse(decoder.decode(packet.payload as Uint8Array))]
      : []
  );
}

const start = (name: string, journal: FakeJournal, url: string) =>
  startMemberWith({ silentAfter: SILENT_AFTER_MS }, name, journal, url);

const readingsOf = ({ server }: Member) =>
  server.sources.list().sources.map(({ readings }) => readings);

Deno.test({
  name:
    "a source whose readings go to all servers of a group is silent only when all of them hear nothing",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const journal = new FakeJournal({ shards: 2 });
    await using a = await start("m1", journal, broker.url);
    await using b = await start("m2", journal, broker.url);
    await using c = await start("m3", journal, broker.url);
    const members = [a, b, c];
    journal.lease(a.store);
    await using sensor = await RawConnection.open(broker.port, "sensor");
    await using watcher = await RawConnection.open(broker.port, "watcher");
    await watcher.subscribe(EVENTS);
    // Each server gets a reading in three seconds: less often than in 1.5 s.
    const beginning = performance.now();
    for (let second = 1; second <= 5; second++) {
      await report(sensor, "cam");
      await until(() => performance.now() > beginning + second * 1000);
    }
    assert.deepEqual(eventsOf(watcher), []);
    const taken = members.map(({ server }) => server.stats.messages);
    assert.ok(taken.every((count) => count > 0), `${taken}`);
    await until(() => eventsOf(watcher).length === 1);
    const [silent] = eventsOf(watcher);
    assert.equal(silent!.event, "silent");
    await until(() =>
      members.every(({ server }) => server.sources.silent === 1)
    );
    const [count] = readingsOf(a);
    assert.deepEqual(members.map(readingsOf), [[count], [count], [count]]);
    await report(sensor, "cam");
    await until(() => eventsOf(watcher).length === 2);
    assert.equal(eventsOf(watcher)[1]!.event, "back");
    await until(() =>
      members.every(({ server }) => server.sources.silent === 0)
    );
  },
});

Deno.test({
  name:
    "no source is silent while a server of the group has readings that it cannot store",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const journal = new FakeJournal({ shards: 1 });
    await using a = await start("m1", journal, broker.url);
    await using b = await start("m2", journal, broker.url);
    journal.lease(a.store);
    await using sensor = await RawConnection.open(broker.port, "sensor");
    await using watcher = await RawConnection.open(broker.port, "watcher");
    await watcher.subscribe(EVENTS);
    await report(sensor, "cam");
    await report(sensor, "cam");
    await until(() => readingsOf(a)[0] === 2 && readingsOf(b)[0] === 2);
    b.store.failing = true;
    await report(sensor, "cam");
    await report(sensor, "cam"); // one of both is taken by each server
    await until(() => readingsOf(a)[0] === 3);
    const failing = performance.now();
    await until(() => performance.now() - failing > 3 * SILENT_AFTER_MS);
    assert.deepEqual(eventsOf(watcher), []);
    b.store.failing = false;
    const works = Date.now();
    await until(() => readingsOf(a)[0] === 4);
    await until(() => eventsOf(watcher).length === 1);
    const [{ event, last }] = eventsOf(watcher) as [SourceEvent];
    assert.equal(event, "silent");
    assert.ok(last >= works - 1000, "it has the reading that waited");
  },
});
