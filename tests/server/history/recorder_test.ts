/**
 * The recorder: what it writes is the map as it was, also after crashes.
 */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import {
  type OccupancyMap,
  OccupancyMap as Occupancy,
  type ReadingColumns,
} from "../../../src/grid/mod.ts";
import { keyOf, TILE_BITS } from "../../../src/grid/tiles.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { History } from "../../../src/server/history/history.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import { SqliteStore } from "../../../src/store/sqlite.ts";
import {
  applyEntry,
  type Entry,
  type Store,
} from "../../../src/store/store.ts";
import { queryNumber } from "../../store/support.ts";
import { permitted } from "../../support/needs.ts";
import { randomIntegers } from "../../support/random.ts";
import { serverLog } from "../../support/server_log.ts";
import { tempDir } from "../../support/temp.ts";
import { resultOf } from "../../support/work.ts";

const START = 1_760_000_000_000;
const SIDE = 80;
const AGEING = { staleAfter: 20_000, forgetAfter: 60_000, maxSkew: 5_000 };

/** The shown states of a layer, by "x,y". */
type Shown = ReadonlyMap<string, string>;

/** A server without a network: a store, a map and its history. */
class Site {
  now = START;
  readonly map = new Occupancy(AGEING);
  readonly history: History;
  readonly store: Store;

  constructor(store: Store) {
    this.store = store;
    this.history = new History(
      {
        store,
        map: this.map,
        log: serverLog((line) => assert.fail(line)),
        now: () => this.now,
        monotonic: () => 0, // no sample takes long
      },
      store.history!,
      { stepSeconds: 1 },
    );
  }

  start(): void {
    void this.store.load(this.map);
    const { now } = this; // as a server does
    this.commit({ kind: "configure", now, ageing: AGEING });
    this.history.loaded();
  }

  commit(...entries: Entry[]): void {
    void this.store.commit(entries);
    for (const entry of entries) {
      this.history.advance(entry.now);
      applyEntry(this.map, entry);
    }
    this.store.applied(this.map);
  }

  age(): void {
    this.commit({ kind: "age", now: this.now });
    this.history.tick();
  }

  close(): void {
    this.history.stop();
    void this.store.close(this.map);
  }

  shown(layer: string): Shown {
    return shown(this.map, layer);
  }

  /** The states that the history has for a second. */
  async recorded(layer: string, second: number): Promise<Shown> {
    const reader = new TileReader(this.store.history!);
    const frame = new TileFrame();
    const states = new Map<string, string>();
    for (
      const { tx, ty } of await this.store.history!.tilesOf(
        layer,
        undefined,
        1e6,
      )
    ) {
      const damaged = await resultOf(
        reader.stateAt({ layer, tx, ty }, second, frame),
      );
      assert.equal(damaged, undefined);
      for (let y = ty << TILE_BITS; y < (ty + 1) << TILE_BITS; y++) {
        for (let x = tx << TILE_BITS; x < (tx + 1) << TILE_BITS; x++) {
          const key = keyOf(x, y);
          if (frame.has[key] === 0) continue;
          states.set(`${x},${y}`, `${frame.value[key]} ${frame.stale[key]}`);
        }
      }
    }
    return states;
  }
}

function shown(map: OccupancyMap, layer: string): Shown {
  const states = new Map<string, string>();
  map.layer(layer)?.scan((x, y, value, _time, _revision, freshness) => {
    const isStale = value >= 0 && freshness === 1;
    states.set(`${x},${y}`, `${value} ${isStale ? 1 : 0}`);
  });
  return states;
}

/** Unknown and never seen are the same for a reader. */
function assertEqual(actual: Shown, expected: Shown, message: string): void {
  const differences: string[] = [];
  const known = (state: string | undefined) =>
    state === undefined || state.startsWith("-") ? "unknown" : state;
  for (const cell of new Set([...actual.keys(), ...expected.keys()])) {
    const [is, should] = [known(actual.get(cell)), known(expected.get(cell))];
    if (is !== should) differences.push(`${cell}: ${is}, not ${should}`);
  }
  assert.deepEqual(differences.slice(0, 5), [], message);
}

function randomReadings(
  random: (below: number) => number,
  now: number,
  count: number,
): ReadingColumns {
  const length = random(count) + 1;
  const columns = {
    length,
    x: new Int32Array(length),
    y: new Int32Array(length),
    value: new Int32Array(length),
    time: new Float64Array(length),
  };
  for (let i = 0; i < length; i++) {
    columns.x[i] = random(SIDE) - SIDE / 2;
    columns.y[i] = random(SIDE);
    columns.value[i] = random(5) - 1;
    columns.time[i] = now - random(300);
  }
  return columns;
}

Deno.test({
  name: "at the end of each second the history has the live map",
  ignore: !permitted(),
  fn: async () => {
    const site = new Site(new MemoryStore());
    site.start();
    const random = randomIntegers(7);
    const expected = new Map<number, Shown>();
    for (let second = 0; second < 200; second++) {
      for (let part = 0; part < 4; part++) {
        site.now = START + second * 1000 + 300 + part * 200;
        if (random(4) === 0) continue;
        const readings = randomReadings(random, site.now, 60);
        const { now } = site;
        site.commit({ kind: "apply", now, layer: "a", readings });
      }
      site.age();
      expected.set(START / 1000 + second, site.shown("a"));
      await untilNextTurn(); // a sample
      if (random(20) === 0) await site.history.recorder.capture();
    }
    await site.history.recorder.capture();
    for (const [second, states] of expected) {
      assertEqual(await site.recorded("a", second), states, `second ${second}`);
    }
    site.close();
  },
});

Deno.test({
  name: "after a crash at any time, the history has all that was committed",
  ignore: !permitted(),
  fn: async () => {
    await using directory = await tempDir();
    const random = randomIntegers(11);
    const expected = new Map<number, Shown>();
    let path = `${directory.path}/0.sqlite`;
    let second = START / 1000;
    for (let run = 0; run < 12; run++) {
      const store = new SqliteStore({ path, maxJournalBytes: 20_000 });
      const site = new Site(store);
      site.now = second * 1000;
      site.start();
      const end = second + 5 + random(60);
      for (; second < end; second++) {
        for (let part = 0; part < 3; part++) {
          site.now = second * 1000 + 300 + part * 200;
          const readings = randomReadings(random, site.now, 40);
          const { now } = site;
          site.commit({ kind: "apply", now, layer: "a", readings });
          if (random(30) === 0) await site.history.recorder.capture();
        }
        site.age();
        expected.set(second, site.shown("a"));
        await untilNextTurn(); // a sample
        if (random(10) === 0) store.commitHistory();
      }
      const next = `${directory.path}/${run + 1}.sqlite`;
      if (random(3) === 0) {
        site.close();
        Deno.copyFileSync(path, next);
      } else { // as the files are after kill -9
        Deno.copyFileSync(path, next);
        Deno.copyFileSync(`${path}-wal`, `${next}-wal`);
        store.close();
      }
      path = next;
    }
    const last = new Site(new SqliteStore({ path }));
    last.now = second * 1000;
    last.start();
    await last.history.recorder.capture();
    for (const [at, states] of expected) {
      assertEqual(await last.recorded("a", at), states, `second ${at}`);
    }
    last.close();
  },
});

Deno.test({
  name: "the time in which the server did not run is a gap",
  ignore: !permitted(),
  fn: async () => {
    await using directory = await tempDir();
    const path = `${directory.path}/a.sqlite`;
    const reading = {
      ...{ length: 1, x: Int32Array.of(1), y: Int32Array.of(1) },
      ...{ value: Int32Array.of(1), time: Float64Array.of(START) },
    };
    const begin = START / 1000;
    // A server ends in order, then one is killed; each ran for 10 s.
    for (const [i, ending] of ["close", "kill", "close"].entries()) {
      const site = new Site(new SqliteStore({ path }));
      site.now = START + i * 300_000;
      site.start();
      site.now += 10_000;
      const { now } = site;
      site.commit({ kind: "apply", now, layer: "a", readings: reading });
      await site.history.recorder.capture();
      site.commit({ kind: "age", now });
      const { history } = site.store;
      assert.deepEqual(
        history!.gaps({ from: 0, to: begin + 9999 }),
        [[10, 300], [310, 600]].slice(0, i)
          .map(([from, to]) => ({ from: begin + from!, to: begin + to! })),
      );
      if (ending === "close") site.close();
      else void site.store.close();
      const rows = await queryNumber(path, "SELECT count(*) FROM journal");
      assert.equal(rows > 0, ending === "kill");
    }
  },
});
