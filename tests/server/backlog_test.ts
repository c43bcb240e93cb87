/** What waited in the broker while the server was away is not taken for new. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import type { Entry, Store } from "../../src/store/store.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { until } from "../support/until.ts";

const NOW = 1_760_000_000_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;
const DATA = "occupancy/data";
const MARKERS = "occupancy/server/barrier/me";

/** A link to a broker that keeps sessions. */
class SessionLink extends FakeLink {
  sessionPresent = true;
}

/** One that takes nothing. */
class DeafLink extends SessionLink {
  override publish(): Promise<void> {
    return Promise.reject(new Error("refused"));
  }
}

/** A store that outlives the process, and knows when the server was there. */
class DatedStore implements Store {
  readonly description = "dated";
  readonly durable = true;
  lastAlive: number | undefined;

  constructor(lastAlive: number | undefined) {
    this.lastAlive = lastAlive;
  }

  load(): void {}

  commit(entries: readonly Entry[]): void {
    for (const { kind, now } of entries) {
      if (kind === "alive") this.lastAlive = now;
    }
  }

  applied(): void {}

  close(): void {}
}

async function start(
  { lastAlive, sessionPresent = true, link = new SessionLink() }: {
    lastAlive?: number;
    sessionPresent?: boolean;
    link?: SessionLink;
  } = {},
) {
  link.sessionPresent = sessionPresent;
  const store = new DatedStore(lastAlive);
  const map = new OccupancyMap();
  const system = { now: NOW };
  const server = new Server({
    link,
    store,
    map,
    topics: new Topics(),
    name: "me",
    version: "0",
    log: { info: () => {}, warn: () => {} },
    clock: () => system.now,
    changesInterval: 0,
  });
  await server.start();
  return Object.assign(system, {
    link,
    store,
    server,
    refused: () => [...server.stats.refused.keys()],
    /** What is known of the cell (0, `y`). */
    cell: (y: number) => {
      const { value, time } = map.layer("default")!.get(0, y)!;
      return { value, time };
    },
    send: async (payload: string) => {
      const message = incoming(DATA, payload);
      link.handlers.message(message);
      await until(() => link.acknowledged.includes(message));
    },
    /** The markers that the server has sent itself, as they come back. */
    markers: () => link.textsOn(MARKERS).map((text) => incoming(MARKERS, text)),
    [Symbol.asyncDispose]: () => server.stop(),
  });
}

Deno.test({
  name: "until its marker is back, readings are as old as the server was away",
  permissions: "none",
  fn: async () => {
    await using system = await start({ lastAlive: NOW - HOUR });
    await system.send("0,0,5\n0,1,6");
    assert.deepEqual(system.cell(0), { value: 5, time: NOW - HOUR });
    assert.equal(system.store.lastAlive, NOW - HOUR, "not yet there");

    system.link.handlers.message(incoming(DATA, "0,2,7"));
    const [marker] = system.markers();
    system.link.handlers.message(marker!);
    assert.ok(system.link.acknowledged.includes(marker!));
    assert.deepEqual(system.cell(2), { value: 7, time: NOW - HOUR });
    assert.equal(system.store.lastAlive, NOW);

    await system.send("0,1,8");
    assert.deepEqual(system.cell(1), { value: 8, time: NOW });
    assert.deepEqual(system.refused(), []);
  },
});

Deno.test({
  name:
    "what waited behind a reading with a time is no older than that, and never late",
  permissions: "none",
  fn: async () => {
    await using system = await start({ lastAlive: NOW - HOUR });
    const time = NOW - 10 * MINUTE;
    await system.send(`0,0,1,${time}\n0,0,2\n0,1,3`);
    assert.deepEqual(system.cell(0), { value: 2, time });
    assert.deepEqual(system.cell(1), { value: 3, time });
    await system.send(`0,2,4,${NOW + 1000}\n0,2,5`); // a clock that is ahead
    assert.equal(system.cell(2).value, 4);
    await system.send("0,2,6\n0,3,7");
    assert.deepEqual(system.cell(2), { value: 6, time: NOW + 1000 });
    assert.deepEqual(system.cell(3), { value: 7, time });
  },
});

Deno.test({
  name: "a connection that is lost and comes back: the same",
  permissions: "none",
  fn: async () => {
    await using system = await start({ sessionPresent: false });
    await system.send("0,0,1");
    assert.deepEqual(system.cell(0), { value: 1, time: NOW });
    assert.deepEqual(system.markers(), [], "nothing can have waited");

    system.link.handlers.down!("gone");
    system.now += HOUR;
    system.link.sessionPresent = true;
    await system.send("0,0,2"); // may come before up()
    system.link.handlers.up!();
    await system.send("0,1,3");
    assert.deepEqual(system.cell(0), { value: 2, time: NOW });
    assert.deepEqual(system.cell(1), { value: 3, time: NOW });

    const [first] = system.markers();
    system.link.handlers.down!("gone again");
    system.link.handlers.up!();
    system.link.handlers.message(first!); // late: of the connection before
    await system.send("0,2,4");
    assert.deepEqual(system.cell(2), { value: 4, time: NOW });
    system.link.handlers.message(system.markers()[1]!);
    await system.send("0,3,5");
    assert.deepEqual(system.cell(3), { value: 5, time: NOW + HOUR });
  },
});

Deno.test({
  name: "a broker that kept nothing, or refuses the marker: all is new",
  permissions: "none",
  fn: async () => {
    {
      await using system = await start({
        lastAlive: NOW - HOUR,
        sessionPresent: false,
      });
      await system.send("0,0,1");
      assert.deepEqual(system.cell(0), { value: 1, time: NOW });
    }
    const link = new DeafLink();
    await using system = await start({ lastAlive: NOW - HOUR, link });
    await until(() => system.store.lastAlive === NOW);
    await system.send("0,0,1");
    assert.deepEqual(system.cell(0), { value: 1, time: NOW });
  },
});

Deno.test({
  name: "Server.stop() notes when it was there last",
  permissions: "none",
  fn: async () => {
    const system = await start({ sessionPresent: false });
    system.now += 30_000;
    await system.server.stop();
    assert.equal(system.store.lastAlive, NOW + 30_000);
  },
});
