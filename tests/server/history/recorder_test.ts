/**
 * The recorder: what it writes is the map as it was, also after crashes.
 */
import assert from "node:assert/strict";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { OccupancyMap as Occupancy } from "../../../src/grid/mod.ts";
import { History } from "../../../src/server/history/history.ts";
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
import {
  assertStates,
  randomReadings,
  recorded,
  type Shown,
  shown,
} from "./states.ts";

const START = 1_760_000_000_000;
const AGEING = { staleAfter: 20_000, forgetAfter: 60_000, maxSkew: 5_000 };

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
  recorded(layer: string, second: number): Promise<Shown> {
    return recorded(this.store.history!, layer, second);
  }
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
      assertStates(
        await site.recorded("a", second),
        states,
        `second ${second}`,
      );
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
      assertStates(await last.recorded("a", at), states, `second ${at}`);
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
