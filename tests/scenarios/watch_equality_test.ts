/**
 * A watcher that receives one snapshot and then changes has the same map as the
 * server (coordinates, values, staleness), although deltas and connections are
 * lost and the server restarts at random.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { type Ageing, Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { CellMap, Watcher, type WatchEvent } from "../../src/request/mod.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeStore } from "../support/fake_store.ts";
import { MemoryBroker, type MemoryLink } from "../support/memory_broker.ts";
import { randomIntegers } from "../support/random.ts";
import { serverLog } from "../support/server_log.ts";

const START_TIME = 1_760_000_000_000;
const SIDE = 12;
/** A coordinate that the random readings do not use. */
const BEACON_COORDINATE = 99;
const LAYERS = ["default", "l2"];
const AGEING = { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 };
const topics = new Topics();
const encoder = new TextEncoder();

/** Waits for a condition, without pauses: there are thousands of rounds. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) {
      throw new Error(`Not within 10 s: ${condition}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The server, its broker and a client that sends readings. */
class World {
  readonly broker = new MemoryBroker();
  readonly random: (below: number) => number;
  readonly store = new FakeStore({ durable: true });
  readonly client: MemoryLink = this.broker.link({ subscriptions: [] });
  now = START_TIME;
  /** The time of the last beacon: it increases even if the clock is set back. */
  #latest = START_TIME;
  map!: OccupancyMap;
  server!: Server;
  serverLink!: MemoryLink;

  constructor(seed: number) {
    this.random = randomIntegers(seed);
  }

  async start(ageing: Partial<Ageing> = AGEING): Promise<void> {
    this.map = new OccupancyMap(ageing);
    this.serverLink = this.broker.link({
      subscriptions: topics.serverSubscriptions("server"),
      session: true,
    });
    this.server = new Server({
      link: this.serverLink,
      store: this.store,
      map: this.map,
      topics,
      name: "server",
      version: "0.0.0",
      log: serverLog(),
      clock: () => this.now,
      changesInterval: 1,
    });
    await this.server.start();
  }

  report(layer: string, readings: string): Promise<void> {
    return this.client.publish(topics.data(layer), encoder.encode(readings), {
      qos: 1,
    });
  }

  /**
   * Waits until all readings are in the map and the cells have aged. A reading of
   * the beacon changes each layer: watchers then notice lost deltas, and the
   * server ages the cells without waiting for its tick.
   */
  async settle(round: number): Promise<void> {
    this.broker.isLost = () => false;
    this.#latest = Math.max(this.#latest, this.now) + 1;
    for (const layer of LAYERS) {
      await this.report(
        layer,
        `${BEACON_COORDINATE},${BEACON_COORDINATE},${round},${this.#latest}`,
      );
      await until(
        () =>
          this.map.layer(layer)?.get(BEACON_COORDINATE, BEACON_COORDINATE)
            ?.value === round,
      );
    }
  }

  /** Sends present and past readings; some repeat the values of their cells. */
  async sendRandomReadings(): Promise<void> {
    const lines: string[] = [];
    for (let n = 1 + this.random(12); n > 0; n--) {
      const time = this.now - this.random(4) * 400;
      lines.push(
        `${this.random(SIDE)},${this.random(SIDE) - 6},${
          this.random(4) - 1
        },${time}`,
      );
    }
    await this.report(LAYERS[this.random(2)]!, lines.join("\n"));
  }
}

/** A watcher whose map the test compares with the server's. */
class Follower {
  readonly link: MemoryLink;
  readonly watcher: Watcher;
  readonly seen = { snapshot: 0, changes: 0 };
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #text: string | undefined;
  map: CellMap | undefined;

  constructor(
    readonly world: World,
    readonly layer: string,
    readonly region?: { x0: number; y0: number; x1: number; y1: number },
  ) {
    this.watcher = new Watcher({
      topics,
      name: `watcher-${layer}-${region ? "part" : "all"}`,
      layer,
      ...(region && { region }),
      timeout: 10_000,
      requestInterval: 0,
      checkAfter: 60_000, // never: later deltas must reveal lost ones
    });
    this.link = world.broker.link({
      subscriptions: this.watcher.subscriptions,
    });
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    await this.link.open(this.watcher.handlersFor(this.link));
    const options = { signal: this.#abort.signal };
    let revision = 0;
    for await (const event of this.watcher.watch(this.link, options)) {
      this.seen[event.kind]++;
      assert.ok(event.revision >= revision, "revisions only rise");
      revision = event.revision;
      this.#apply(event);
      // The consumer is sometimes slow.
      for (let n = this.world.random(6) * 20; n > 0; n--) await null;
    }
  }

  #apply(event: WatchEvent): void {
    if (this.map === undefined) this.map = new CellMap(event);
    else this.map.apply(event);
    this.#text = this.textOf(this.map);
  }

  /** Returns the watcher's map as text: a line per cell, sorted. */
  textOf(map: CellMap): string {
    return lines(
      [...map].map(({ x, y, value, stale }) =>
        `${x},${y}=${value}${stale && value >= 0 ? " stale" : ""}`
      ),
    );
  }

  /** Returns the server's map as text in the same form. */
  expectedText(): string {
    const { map } = this.world;
    const found: string[] = [];
    const { layer, region } = this;
    map.layer(layer)?.scan((x, y, value, _time, _revision, freshness) => {
      const stale = freshness === Freshness.Stale && value >= 0;
      found.push(`${x},${y}=${value}${stale ? " stale" : ""}`);
    }, region && { region });
    return lines(found);
  }

  async assertSameMap(what: string): Promise<void> {
    let expected = "";
    let revision = -1;
    const isSame = () => {
      const { world } = this;
      if (world.map.revision !== revision) expected = this.expectedText();
      revision = world.map.revision;
      return this.#text === expected;
    };
    await until(isSame).catch(() => assert.equal(this.#text, expected, what));
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await this.link.close();
  }
}

function lines(cells: string[]): string {
  return cells.sort().join("\n");
}

/** Performs a random step: usually sends readings. */
async function doRandomStep(
  world: World,
  followers: Follower[],
): Promise<void> {
  const { random } = world;
  const follower = followers[random(followers.length)]!;
  switch (random(16)) {
    case 0:
      return follower.link.disconnect();
    case 1:
      return world.serverLink.disconnect();
    case 2:
      world.broker.isLost = (topic) =>
        topic.startsWith("occupancy/changes") && random(3) === 0;
      return;
    case 3:
      world.broker.isLost = () => false;
      return;
    case 4:
    case 5:
      world.now += random(3000);
      return;
    case 6:
      world.now -= random(200); // the clock is set back
      return;
    case 7:
      if (random(8) > 0) return;
      await world.server.stop();
      return await world.start();
    case 8:
      return await new Promise((resolve) => setTimeout(resolve, random(3)));
    default:
      return await world.sendRandomReadings();
  }
}

for (const seed of [1, 20_261_017, 0x5eed]) {
  Deno.test({
    name:
      `watch: a snapshot and changes equal the server's map in 1,000 rounds, seed ${seed}`,
    permissions: "none",
    fn: async () => {
      const world = new World(seed);
      await world.client.open({ message: () => {} });
      await world.start();
      const followers = [
        new Follower(world, "default"),
        new Follower(world, "l2"),
        new Follower(world, "default", { x0: 2, y0: -3, x1: 7, y1: 4 }),
      ];
      try {
        for (let round = 1; round <= 1000; round++) {
          for (let n = 1 + world.random(6); n > 0; n--) {
            await doRandomStep(world, followers);
          }
          world.serverLink.reconnect();
          for (const { link } of followers) link.reconnect();
          await world.settle(round);
          for (const follower of followers) {
            await follower.assertSameMap(`seed ${seed}, round ${round}`);
          }
        }
        for (const { seen } of followers) {
          assert.equal(seen.snapshot, 1, "one snapshot was sufficient");
          assert.ok(seen.changes > 500);
        }
      } finally {
        for (const follower of followers) await follower.end();
        await world.server.stop();
        await world.client.close();
      }
    },
  });
}
