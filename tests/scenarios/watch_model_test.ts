/**
 * A watcher that sees one snapshot and then only what changed holds exactly the
 * server's map, coordinates, values and staleness, whatever is lost on the way:
 * deltas, connections of the watcher and of the server, and the server itself.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { type Ageing, Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { CellMap, Watcher, type WatchEvent } from "../../src/request/mod.ts";
import { Server } from "../../src/server/mod.ts";
import { FakeStore } from "../support/fake_store.ts";
import { MemoryBroker, type MemoryLink } from "../support/memory_broker.ts";

const T0 = 1_760_000_000_000;
const SIDE = 12;
/** A coordinate apart from those that are reported at random. */
const BEACON = 99;
const LAYERS = ["default", "l2"];
const AGEING = { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 };
const topics = new Topics();
const encoder = new TextEncoder();

/** xorshift32 (Marsaglia 2003): the same rounds for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** As `until` of the support, but looks without pause: there are thousands of rounds. */
async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not true: ${condition}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Everything that takes part. */
class World {
  readonly broker = new MemoryBroker();
  readonly random: (below: number) => number;
  readonly store = new FakeStore({ durable: true });
  readonly client: MemoryLink = this.broker.link({ subscriptions: [] });
  now = T0;
  /** Of the beacon: never late, though clocks are set back. */
  #latest = T0;
  map!: OccupancyMap;
  server!: Server;
  serverLink!: MemoryLink;

  constructor(seed: number) {
    this.random = generator(seed);
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
      log: { info: () => {}, warn: () => {} },
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
   * Waits until all that was sent is in the map, and all that is due has aged.
   * Something happens in each layer, so that a loss shows, and nobody has to
   * wait for the second after which what is due ages by itself.
   */
  async quiet(round: number): Promise<void> {
    this.broker.loses = () => false;
    this.#latest = Math.max(this.#latest, this.now) + 1;
    for (const layer of LAYERS) {
      await this.report(layer, `${BEACON},${BEACON},${round},${this.#latest}`);
      await until(
        () => this.map.layer(layer)?.get(BEACON, BEACON)?.value === round,
      );
    }
  }

  /** Readings of today and of a while ago; some repeat what is known. */
  async someReadings(): Promise<void> {
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

/** A watcher whose map the test compares. */
class Follower {
  readonly link: MemoryLink;
  readonly watcher: Watcher;
  readonly seen = { snapshot: 0, changes: 0 };
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #told: string | undefined;
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
      checkAfter: 60_000, // never: deltas alone must tell what is missing
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
      this.#take(event);
      // A consumer that now and then takes its time.
      for (let n = this.world.random(6) * 20; n > 0; n--) await null;
    }
  }

  #take(event: WatchEvent): void {
    if (this.map === undefined) this.map = new CellMap(event);
    else this.map.apply(event);
    this.#told = this.told(this.map);
  }

  /** What it holds, as text: a line a cell, in order. */
  told(map: CellMap): string {
    return lines(
      [...map].map(({ x, y, value, stale }) =>
        `${x},${y}=${value}${stale && value >= 0 ? " stale" : ""}`
      ),
    );
  }

  /** What the server holds, likewise. */
  known(): string {
    const { map } = this.world;
    const found: string[] = [];
    const { layer, region } = this;
    map.layer(layer)?.scan((x, y, value, _time, _revision, freshness) => {
      const stale = freshness === Freshness.Stale && value >= 0;
      found.push(`${x},${y}=${value}${stale ? " stale" : ""}`);
    }, region && { region });
    return lines(found);
  }

  async agrees(what: string): Promise<void> {
    let known = "";
    let revision = -1;
    const agrees = () => {
      const { world } = this;
      if (world.map.revision !== revision) known = this.known();
      revision = world.map.revision;
      return this.#told === known;
    };
    await until(agrees).catch(() => assert.equal(this.#told, known, what));
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

/** One thing that happens; each a few times as likely as it is harmless. */
async function happen(world: World, followers: Follower[]): Promise<void> {
  const { random } = world;
  const someone = followers[random(followers.length)]!;
  switch (random(16)) {
    case 0:
      return someone.link.cut();
    case 1:
      return world.serverLink.cut();
    case 2:
      world.broker.loses = (topic) =>
        topic.startsWith("occupancy/changes") && random(3) === 0;
      return;
    case 3:
      world.broker.loses = () => false;
      return;
    case 4:
    case 5:
      world.now += random(3000);
      return;
    case 6:
      world.now -= random(200); // clocks are set back, too
      return;
    case 7:
      if (random(8) > 0) return;
      await world.server.stop();
      return await world.start();
    case 8:
      return await new Promise((resolve) => setTimeout(resolve, random(3)));
    default:
      return await world.someReadings();
  }
}

for (const seed of [1, 20_261_017, 0x5eed]) {
  Deno.test({
    name:
      `watch: one snapshot and deltas are the server's map at each of 1,000 quiet points, seed ${seed}`,
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
            await happen(world, followers);
          }
          world.serverLink.mend();
          for (const { link } of followers) link.mend();
          await world.quiet(round);
          for (const follower of followers) {
            await follower.agrees(`seed ${seed}, round ${round}`);
          }
        }
        for (const { seen } of followers) {
          assert.equal(seen.snapshot, 1, "one snapshot was enough");
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
