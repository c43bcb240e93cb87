/**
 * The invariant of the live feed: after any sequence of events, a viewer that
 * has received everything has the cells of the map and the states of the zones.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Exchange } from "../../../src/http/exchange.ts";
import { type MapShard, OccupancyMap } from "../../../src/grid/mod.ts";
import type { HttpContext } from "../../../src/http/context.ts";
import { TickDeltas } from "../../../src/http/feed/deltas.ts";
import { FrameSequence } from "../../../src/page/feed/frame_sequence.ts";
import { decodeFrame } from "../../../src/feed/frames.ts";
import { inflateRaw } from "../../../src/page/feed/inflate.ts";
import { DEFAULT_FEED_LIMITS } from "../../../src/http/feed/limits.ts";
import { type View, viewMessage } from "../../../src/feed/messages.ts";
import type { ZonesMessage } from "../../../src/feed/zone_messages.ts";
import type { MessageSocket } from "../../../src/http/listener/web_socket.ts";
import { Snapshots } from "../../../src/http/feed/snapshots.ts";
import { Viewer } from "../../../src/http/feed/viewer.ts";
import { ZoneFeed } from "../../../src/http/feed/zone_feed.ts";
import { tilesToSave } from "../../grid/model.ts";
import { FakeZones } from "./fake_zones.ts";
import { assertSame, ViewerModel } from "./viewer_model.ts";

const T0 = 1_790_000_000_000;

/** A socket that stores frames and zones until the test reads them. */
class FakeSocket implements MessageSocket {
  isOpen = true;
  bufferedAmount = 0;
  readonly frames: (Uint8Array<ArrayBuffer> | ZonesMessage)[] = [];
  onmessage = () => {};
  onclose = () => {};
  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (typeof data !== "string") this.frames.push(data);
    else if (data.startsWith('{"type":"zones"')) {
      this.frames.push(JSON.parse(data));
    }
  }
  close(): void {
    this.isOpen = false;
  }
}

/** A viewer: its part in the server, and its part in the client. */
class TestViewer {
  readonly socket = new FakeSocket();
  readonly viewer: Viewer;
  readonly sequence = new FrameSequence();
  readonly model = new ViewerModel();
  /** The counts of zones by name. */
  readonly counts = new Map<string, number>();
  version = "";
  view: View | undefined;
  #got = 0;

  constructor(
    map: OccupancyMap,
    snapshots: Snapshots,
    zones: ZoneFeed,
    limits: typeof LIMITS,
  ) {
    const context = {
      map,
      clock: () => T0,
      sourceOf: () => undefined,
    } as unknown as HttpContext;
    this.viewer = new Viewer(this.socket, new Exchange("127.0.0.1"), {
      context,
      limits,
      snapshots,
      zones,
      historyOf: () => [],
      onSent: () => {},
      schedule: () => {},
    });
  }

  requestView(view: View): void {
    this.view = view;
    this.sequence.start(view);
    this.viewer.receive(viewMessage(view));
  }

  #apply({ version, whole, states, removed }: ZonesMessage): void {
    assert.ok(states.length + removed.length <= MAX_ZONES);
    this.version = version;
    if (whole) this.counts.clear();
    for (const name of removed) this.counts.delete(name);
    for (const { zone, count } of states) this.counts.set(zone, count);
  }

  /** Reads and acknowledges a number of frames. */
  async read(count: number): Promise<void> {
    for (const message of this.socket.frames.splice(0, count)) {
      if (message instanceof Uint8Array) {
        const frame = await decodeFrame(message, inflateRaw);
        const action = this.sequence.check(frame);
        assert.notEqual(action, "gap");
        if (action === "apply") this.model.apply(frame);
      } else this.#apply(message);
      this.viewer.receive(JSON.stringify({ type: "got", frames: ++this.#got }));
    }
  }
}

/** Maximum zones of a message. */
const MAX_ZONES = 2;
const LIMITS = {
  ...DEFAULT_FEED_LIMITS,
  deltaCells: 40,
  partCells: 1024,
  framesInFlight: 3,
  messagesPerSecond: 1e9,
};

const coordinate = fc.oneof(
  fc.integer({ min: -40, max: 70 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0),
);
const reading = fc.tuple(
  coordinate,
  coordinate,
  fc.integer({ min: -1, max: 3 }),
);
const view: fc.Arbitrary<View> = fc.record({
  layer: fc.constantFrom("default", "hall/2", "never"),
  region: fc.option(
    fc.tuple(coordinate, coordinate, coordinate, coordinate)
      .map(([a, b, c, d]) => ({
        x0: Math.min(a, c),
        y0: Math.min(b, d),
        x1: Math.max(a, c),
        y1: Math.max(b, d),
      })),
  ),
});
const zone = fc.constantFrom("a", "b", "c", "d", "e");
const viewer = fc.integer({ min: 0, max: 2 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      action: fc.constant("report" as const),
      layer: fc.constantFrom("default", "hall/2"),
      readings: fc.array(reading, { minLength: 1, maxLength: 60 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      action: fc.constant("wait" as const),
      ms: fc.nat(2000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      action: fc.constant("view" as const),
      viewer,
      view,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      action: fc.constant("tick" as const),
      deltas: fc.boolean(),
      steps: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      action: fc.constant("read" as const),
      viewer,
      frames: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant("define" as const),
      names: fc.uniqueArray(zone),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      action: fc.constant("count" as const),
      counts: fc.array(fc.tuple(zone, fc.nat(9)), { minLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant("restore" as const),
      shard: fc.nat(2),
      earlier: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      action: fc.constant("stall" as const),
      viewer,
      bytes: fc.constantFrom(0, 1e9),
    }),
  },
);

for (const shards of [1, 3]) {
  Deno.test({
    name:
      `a viewer that has received everything has the cells of the map (${shards} shards) and the states of the zones`,
    permissions: "none",
    fn: async () => {
      let snapshots = 0;
      let deltas = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 20, maxLength: 80, size: "max" }),
          async (steps) => {
            const simulation = new FeedSimulation(shards);
            for (const step of steps) await simulation.run(step);
            await simulation.settle();
            const { zones } = simulation;
            const states = [...zones.states.values()];
            for (const { model, view, counts, version } of simulation.viewers) {
              assert.equal(version, zones.version);
              assert.deepEqual(
                [...counts].sort(),
                states.map(({ zone, count }) => [zone, count]).sort(),
              );
              if (view !== undefined) assertSame(model, simulation.map, view);
              snapshots += model.snapshots;
              deltas += model.deltas;
            }
          },
        ),
        { numRuns: 600 },
      );
      assert.ok(
        snapshots > 100 && deltas > 100,
        `${snapshots} snapshots, ${deltas} deltas`,
      );
    },
  });
}

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A map with three viewers; time and network are simulated. */
class FeedSimulation {
  readonly map: OccupancyMap;
  readonly zones = new FakeZones();
  readonly #zoneFeed = new ZoneFeed(this.zones, () => {}, MAX_ZONES);
  readonly viewers: readonly TestViewer[];
  /** By shard: an earlier state, which no map has. */
  readonly #saved: (MapShard | undefined)[] = [];
  #now = T0;
  /** Monotonic time, in ms; ticks are 1 s apart, more than any interval. */
  #at = 0;

  constructor(shards: number) {
    const ageing = { staleAfter: 1000, forgetAfter: 3000 };
    this.map = new OccupancyMap(ageing, { shards });
    const snapshots = new Snapshots(this.map, LIMITS.partCells);
    this.viewers = [0, 1, 2].map(() =>
      new TestViewer(this.map, snapshots, this.#zoneFeed, LIMITS)
    );
  }

  async run(step: Step): Promise<void> {
    switch (step.action) {
      case "report": {
        const length = step.readings.length;
        this.map.apply(step.layer, {
          length,
          x: Int32Array.from(step.readings, ([x]) => x),
          y: Int32Array.from(step.readings, ([, y]) => y),
          value: Int32Array.from(step.readings, ([, , value]) => value),
          time: new Float64Array(length).fill(this.#now),
        }, this.#now);
        break;
      }
      case "wait":
        this.#now += step.ms;
        break;
      case "view":
        this.viewers[step.viewer]!.requestView(step.view);
        break;
      case "tick":
        this.tick(step.deltas, step.steps);
        break;
      case "read":
        await this.viewers[step.viewer]!.read(step.frames);
        break;
      case "define":
        this.zones.define(step.names);
        break;
      case "count":
        this.zones.set(step.counts);
        break;
      case "restore":
        this.restore(step.shard % this.map.shards.length, step.earlier);
        break;
      case "stall":
        this.viewers[step.viewer]!.socket.bufferedAmount = step.bytes;
        break;
    }
  }

  /** Replaces a shard by a copy, or by the copy of an earlier call. */
  restore(index: number, earlier: boolean): void {
    const saved = earlier ? this.#saved[index] : undefined;
    this.#saved[index] = saved === undefined ? this.#copyOf(index) : undefined;
    this.map.replaceShard(index, saved ?? this.#copyOf(index));
  }

  #copyOf(index: number): MapShard {
    const copy = this.map.emptyShard();
    const shard = this.map.shards[index]!;
    for (const [layer, grid] of shard.layers()) {
      for (let tile = 0; tile < grid.tileCount; tile++) grid.markDirty(tile);
      for (const { bytes } of tilesToSave(grid)) {
        copy.restoreTiles(layer, bytes, undefined, grid.began);
      }
    }
    copy.restoreRevision(shard.revision, shard.began);
    copy.age(this.#now);
    return copy;
  }

  /** @param steps number of times that `isTimeUp` returns false */
  tick(withDeltas: boolean, steps: number): void {
    this.map.age(this.#now);
    const tick = {
      time: this.#now,
      at: this.#at += 1000,
      deltas: withDeltas
        ? new TickDeltas({
          map: this.map,
          time: this.#now,
          maxCells: LIMITS.deltaCells,
          viewers: this.viewers.length,
        })
        : undefined,
      isTimeUp: () => steps-- <= 0,
    };
    this.#zoneFeed.update(this.#at);
    for (const { viewer } of this.viewers) viewer.update(tick);
  }

  /** Runs ticks until all viewers have received everything. */
  async settle(): Promise<void> {
    for (const { socket } of this.viewers) socket.bufferedAmount = 0;
    for (let i = 0; i < 200; i++) {
      this.tick(true, 1000);
      for (const viewer of this.viewers) await viewer.read(10);
      if (this.viewers.every(({ viewer }) => !viewer.hasPending)) return;
    }
    assert.fail("viewers still have pending data after 200 ticks");
  }
}
