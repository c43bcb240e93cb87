/** Leases move, servers stand still and are killed while zones change. */
import assert from "node:assert/strict";
import { delay } from "../../src/common/async.ts";
import { randomIntegers } from "../support/random.ts";
import { until } from "../support/until.ts";
import type { ZoneEvent } from "../../src/zones/mod.ts";
import { Cluster, type Member } from "./cluster.ts";
import { squares } from "./zones/support.ts";

const LAYERS = ["default", "a", "b"];
const ZONES = 6;

/** Returns a zone of one cell, in one of the layers. */
async function zoneOf(i: number) {
  const [zone] = await squares([`zone-${i}`, [5 * i, 0, 1], { capacity: 3 }]);
  return { ...zone!, layer: LAYERS[i % LAYERS.length]! };
}

/** The kinds of events that alternate. */
const OCCUPANCY: readonly unknown[] = ["occupied", "cleared", "unknown"];

/** Fails if a change has two events. Returns how many there are. */
function assertAlternating(events: readonly ZoneEvent[]): number {
  const texts = events.map((event) => JSON.stringify(event));
  // After a change of the leader, events may come again, identical.
  const once = events.filter((_, i) => texts.indexOf(texts[i]!) === i);
  const names = once.map(({ event }) => event);
  for (const isOccupancy of [true, false]) {
    const some = names.filter((name) =>
      OCCUPANCY.includes(name) === isOccupancy
    );
    for (const [i, name] of some.entries()) {
      assert.notEqual(name, some[i - 1], names.join(" "));
    }
  }
  return once.length;
}

for (const seed of [1, 2, 3, 4]) {
  Deno.test({
    name: `the events of zones alternate whoever leads, seed ${seed}`,
    permissions: "none",
    fn: async () => {
      const random = randomIntegers(seed);
      const pick = <T>(all: readonly T[]): T => all[random(all.length)]!;
      await using cluster = await Cluster.create();
      const { members, journal } = cluster;
      let started = 0;
      const start = () => cluster.start(`server-${started++}`);
      await Promise.all([start(), start(), start()]);
      journal.lease(pick([...members.values()]).store);
      const running = () =>
        [...members.values()].filter(({ store }) => !store.frozen);
      for (let i = 0; i < ZONES; i++) {
        const edit = { kind: "set", zone: await zoneOf(i) } as const;
        await pick(running()).server.zones.edit(edit);
      }
      /** What the cells of the zones have. */
      const values = Array<number | undefined>(ZONES).fill(undefined);
      let changes = 0;
      for (let step = 0; step < 150; step++) {
        const member: Member = pick([...members.values()]);
        const action = random(20);
        if (action === 0) journal.lease(member.store);
        else if (action === 1) {
          member.store.frozen = running().length > 1 && random(3) > 0;
        } else if (action === 2 && running().length > 1) {
          cluster.kill(member);
          await start();
          const holder = pick([...members.values()]);
          if (journal.leaseOf(0).holder === undefined) {
            journal.lease(holder.store);
          }
        } else {
          const i = random(ZONES);
          const value = random(5);
          const isChange = (values[i] ?? 0) > 0 !== value > 0;
          if (isChange) changes++;
          values[i] = value;
          await cluster.send(
            pick(running()),
            `${5 * i},0,${value},${Date.now()}`,
            LAYERS[i % LAYERS.length],
          );
        }
        if (random(4) === 0) await delay(random(60));
      }
      for (const { store } of members.values()) store.frozen = false;
      journal.lease(pick([...members.values()]).store);
      await cluster.settled();
      const [{ server }] = members.values() as unknown as [Member];
      let events = 0;
      for (let i = 0; i < ZONES; i++) {
        const zone = `zone-${i}`;
        const known = values[i] !== undefined;
        await until(() => {
          const state = cluster.stateOf(zone);
          return state !== undefined && state.count === (values[i] ?? 0) &&
            state.occupied === (known ? values[i]! > 0 : null);
        }, {
          what: () =>
            `${zone} ${values[i]}: ${JSON.stringify(cluster.stateOf(zone))}`,
        });
        assert.equal(server.zones.state(zone)?.count, values[i] ?? 0);
        const { occupied } = cluster.stateOf(zone)!;
        await until(() => {
          const last = cluster.eventsOf(zone).findLast(({ event }) =>
            OCCUPANCY.includes(event)
          )?.event;
          return last === undefined
            ? occupied === null
            : last === (occupied ? "occupied" : "cleared");
        }, { what: `the last event of ${zone}` });
        events += assertAlternating(cluster.eventsOf(zone));
      }
      assert.ok(events > ZONES, `${events} events of ${changes} changes`);
    },
  });
}
