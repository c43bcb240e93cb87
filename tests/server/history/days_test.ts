/**
 * Days of a map with closing, rollups, pruning, deleted layers, late readings
 * and crashes: its past is what it was.
 */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { OccupancyMap, type ReadingColumns } from "../../../src/grid/mod.ts";
import { keyOf } from "../../../src/grid/tiles.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { History } from "../../../src/server/history/history.ts";
import {
  BEGAN,
  CLOSED_TO,
  ROLLED_TO,
} from "../../../src/server/history/parts.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import {
  applyEntry,
  type Entry,
  type Store,
} from "../../../src/store/store.ts";
import { permitted } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { serverLog } from "../../support/server_log.ts";
import { tempDir } from "../../support/temp.ts";
import { resultOf } from "../../support/work.ts";
import { DAY, rectangle } from "./support.ts";

const SEEDS = [9, 21];
const MINUTE = 60;
const HOUR = 3600;
const STEP = 2 * MINUTE;
const SIDE = 70;
const AGEING = {
  staleAfter: 1_200_000,
  forgetAfter: 10_800_000,
  maxSkew: 5000,
};
const LAYERS = ["a", "b", "c"] as const;
const ZONES = new Map(
  [rectangle("left", "a", [-40, 0, 0, 40]), rectangle("b", "b", [0, 0, 9, 9])]
    .map((zone) => [zone.name, zone]),
);

/** A server without a network. */
class Site {
  now: number;
  readonly store: Store;
  readonly map = new OccupancyMap(AGEING);
  readonly history: History;

  constructor(store: Store, now: number, keepSeconds: number) {
    this.store = store;
    this.now = now;
    this.history = new History(
      {
        store,
        map: this.map,
        log: serverLog((line) => assert.fail(line)),
        now: () => this.now,
        monotonic: () => 0,
      },
      store.history!,
      { stepSeconds: 1, keepSeconds },
    );
    this.history.setZones(() => ZONES);
    void store.load(this.map);
    this.history.loaded();
  }

  commit(entry: Entry): void {
    void this.store.commit([entry]);
    this.history.advance(entry.now);
    applyEntry(this.map, entry);
    this.store.applied(this.map);
  }

  /** Closes and prunes what is due. */
  async care(): Promise<void> {
    let isDone = false;
    const done = this.history.keeper.run().then(() => isDone = true);
    while (!isDone) {
      this.store.commitHistory!();
      await untilNextTurn();
    }
    await done;
  }

  shown(layer: string): Map<string, string> {
    const states = new Map<string, string>();
    this.map.layer(layer)?.scan((x, y, value, _time, _revision, freshness) => {
      if (value >= 0) states.set(`${x} ${y}`, `${value} ${freshness}`);
    });
    return states;
  }

  async recorded(
    layer: string,
    second: number,
  ): Promise<Map<string, string>> {
    const tables = this.store.history!;
    const reader = new TileReader(tables);
    const frame = new TileFrame();
    const states = new Map<string, string>();
    for (const { tx, ty } of await tables.tilesOf(layer, undefined, 1000)) {
      await resultOf(reader.stateAt({ layer, tx, ty }, second, frame));
      for (let y = ty * 32; y < ty * 32 + 32; y++) {
        for (let x = tx * 32; x < tx * 32 + 32; x++) {
          const key = keyOf(x, y);
          if (frame.has[key] === 0 || frame.value[key]! < 0) continue;
          states.set(`${x} ${y}`, `${frame.value[key]} ${frame.stale[key]}`);
        }
      }
    }
    return states;
  }

  close(): void {
    this.history.stop();
    void this.store.close(this.map);
  }
}

/** A reading that is older than its arrival. */
interface Late {
  readonly cell: string;
  readonly layer: string;
  readonly time: number;
  readonly arrival: number;
}

class Readings {
  readonly late: Late[] = [];
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = randomIntegers(seed);
  }

  next(layer: string, now: number): ReadingColumns {
    const random = this.#random;
    const length = 1 + random(12);
    const columns = {
      length,
      x: new Int32Array(length),
      y: new Int32Array(length),
      value: new Int32Array(length),
      time: new Float64Array(length),
    };
    for (let i = 0; i < length; i++) {
      const x = columns.x[i] = Math.min(random(SIDE), random(SIDE)) - 30;
      const y = columns.y[i] = random(4);
      columns.value[i] = random(5) - 1;
      const lateMs = random(20) > 0
        ? 0
        : random(10) > 0
        ? random(40) * MINUTE * 1000
        : random(5) * HOUR * 1000;
      const time = columns.time[i] = now - random(400) - lateMs;
      this.late.push({
        cell: `${x} ${y}`,
        layer,
        time: Math.floor(time / 1000),
        arrival: Math.floor(now / 1000),
      });
    }
    return columns;
  }
}

for (const seed of SEEDS) {
  Deno.test(
    `the past of a map is what it was, over days with crashes, ${seed}`,
    {
      ignore: !permitted(),
    },
    async () => {
      const { SqliteStore } = await import("../../../src/store/sqlite.ts");
      await using dir = await tempDir();
      const random = randomIntegers(seed);
      const readings = new Readings(seed + 1);
      /** By layer and second. */
      const expected = new Map<string, Map<number, Map<string, string>>>();
      const keepSeconds = 20 * HOUR;
      let second = DAY + 5 * HOUR + 17;
      const end = DAY + 53 * HOUR;
      let path = `${dir.path}/0.db`;
      const open = () =>
        new Site(
          new SqliteStore({
            path,
            durability: "commit",
            maxJournalBytes: 50_000,
          }),
          second * 1000,
          keepSeconds,
        );
      let site = open();
      let isEqualAt = 0;
      const check = async () => {
        const tables = site.store.history!;
        const oldest = tables.meta.get(BEGAN)!;
        for (const [layer, times] of expected) {
          for (const [at, states] of times) {
            if (at < oldest) continue;
            const recorded = await site.recorded(layer, at);
            // Late ones have changed the past since.
            const late = new Set(
              readings.late.filter((one) =>
                one.layer === layer && one.time <= at && one.arrival > at
              ).map(({ cell }) => cell),
            );
            for (
              const cell of new Set([...recorded.keys(), ...states.keys()])
            ) {
              if (late.has(cell)) continue;
              assert.equal(
                recorded.get(cell),
                states.get(cell),
                `${layer} ${cell} at ${at - DAY}`,
              );
              isEqualAt++;
            }
          }
        }
      };
      for (let run = 1; second < end; second += STEP) {
        site.now = second * 1000 + 500;
        const { now } = site;
        for (const layer of LAYERS) {
          if (random(3) === 0) continue;
          site.commit({
            kind: "apply",
            now,
            layer,
            readings: readings.next(layer, now),
          });
        }
        site.commit({ kind: "age", now });
        site.now += 1000;
        site.history.tick();
        await untilNextTurn(); // a sample
        if (random(400) === 0) {
          site.commit({ kind: "delete", now, layer: "c" });
          expected.delete("c");
        }
        if (random(15) === 0) {
          for (const layer of LAYERS) {
            const times = expected.get(layer) ?? new Map();
            expected.set(layer, times);
            times.set(second, site.shown(layer));
          }
        }
        if (random(8) === 0) await site.care();
        if (random(200) === 0) {
          await site.history.recorder.capture();
          await check();
        }
        if (random(150) > 0) continue;
        const next = `${dir.path}/${run++}.db`;
        if (random(2) === 0) {
          site.close();
          Deno.copyFileSync(path, next);
        } else { // as the files are after kill -9
          Deno.copyFileSync(path, next);
          Deno.copyFileSync(`${path}-wal`, `${next}-wal`);
          site.history.keeper.stop();
          site.close();
        }
        path = next;
        second += random(3) * MINUTE;
        site = open();
      }
      await site.history.recorder.capture();
      await site.care();
      await check();
      assert.ok(isEqualAt > 10_000, `${isEqualAt} states`);
      const { meta } = site.store.history!;
      const hour = Math.floor(site.now / 1000 / HOUR);
      assert.equal(meta.get(CLOSED_TO), hour - 1);
      assert.equal(meta.get(ROLLED_TO), Math.floor(DAY / 86400) + 2);
      assert.ok(meta.get(BEGAN)! > DAY + 30 * HOUR);
      const zones = await site.store.history!.zones();
      assert.deepEqual(zones.map(({ zone }) => zone), ["b", "left"]);
      site.close();
    },
  );
}
