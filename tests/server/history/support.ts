/** Random histories, and the care for them, without a server. */
import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { encodeChanges } from "../../../src/history/changes_codec.ts";
import { hourOf } from "../../../src/history/hour.ts";
import { TileChanges } from "../../../src/history/tile_changes.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { keyOf } from "../../../src/grid/tiles.ts";
import { HistoryWrites } from "../../../src/server/history/history_writes.ts";
import { Keeper } from "../../../src/server/history/keeper.ts";
import { BEGAN } from "../../../src/server/history/parts.ts";
import type { PruningOptions } from "../../../src/server/history/pruning.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import type {
  HistoryTables,
  HistoryWork,
  Store,
} from "../../../src/store/store.ts";
import type { Zone, Zones } from "../../../src/zones/mod.ts";
import { randomIntegers } from "../../support/random.ts";
import { serverLog } from "../../support/server_log.ts";
import { resultOf } from "../../support/work.ts";
import { laterTables } from "./later_tables.ts";

/** The start of a UTC day, seconds since 1970. */
export const DAY = 1_760_054_400;

/** A state of a cell from a second on. */
export interface Change {
  readonly layer: string;
  readonly x: number;
  readonly y: number;
  readonly second: number;
  readonly value: number;
  readonly stale: number;
}

/** A state of a cell. */
export interface State {
  readonly value: number;
  readonly stale: number;
}

/** Some cells of a few tiles, most of which change now and then. */
export function randomChanges(
  seed: number,
  from: number,
  to: number,
  count: number,
): Change[] {
  const random = randomIntegers(seed);
  const cells = Array.from({ length: 40 }, (_, i) => ({
    layer: i % 8 === 7 ? "b" : "a",
    x: random(70) - 33,
    y: i % 5 === 0 ? 1000 : random(40),
  }));
  const make = (): Change => {
    const cell = cells[Math.min(random(40), random(40))]!;
    const value = random(5) - 1;
    return {
      ...cell,
      second: from + random(to - from),
      value,
      stale: value >= 0 && random(6) === 0 ? 1 : 0,
    };
  };
  const changes = Array.from({ length: count }, make)
    .sort((a, b) => a.second - b.second);
  // Late ones, each with the state that follows, as the recorder adds them.
  const model = new Model(changes);
  for (let i = 0; i < count / 20; i++) {
    const late = make();
    changes.push(late);
    const next = model.cells.get(cellOf(late))
      ?.find(({ second }) => second > late.second);
    if (next !== undefined) changes.push(next);
  }
  return changes;
}

function cellOf({ layer, x, y }: Change): string {
  return `${layer} ${x} ${y}`;
}

/** Knows the state of each cell at each time. */
export class Model {
  /** By cell; in order of time. */
  readonly cells = new Map<string, Change[]>();

  constructor(changes: readonly Change[]) {
    for (const change of changes) {
      const key = cellOf(change);
      const ofCell = this.cells.get(key) ?? [];
      this.cells.set(key, ofCell);
      const same = ofCell.findIndex(({ second }) => second === change.second);
      if (same >= 0) ofCell[same] = change;
      else ofCell.push(change);
    }
    for (const ofCell of this.cells.values()) {
      ofCell.sort((a, b) => a.second - b.second);
    }
  }

  /** The state of a cell, with the change of this second. */
  stateOf(cell: string, second: number): State | undefined {
    const change = this.cells.get(cell)!.findLast((c) => c.second <= second);
    return change && { value: change.value, stale: change.stale };
  }
}

/** A zone that is a rectangle; the upper bounds are exclusive. */
export function rectangle(
  name: string,
  layer: string,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): Zone {
  return {
    name,
    layer,
    title: undefined,
    capacity: undefined,
    occupiedWhen: { cells: 1 },
    clearAfter: 0,
    staleAfter: undefined,
    polygons: [[[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]]],
  };
}

/** Options of {@linkcode CaredStore}. */
export interface CaredOptions extends Partial<PruningOptions> {
  readonly zones?: Zones;
  /** After this number of transactions the process is dead. */
  readonly maxTransactions?: number;
  /** True: the tables answer later, as those of a database elsewhere. */
  readonly later?: boolean;
  /** Default: everything is done at once. */
  readonly share?: () => number;
}

/** Work that has nothing to write. */
export const NOTHING: HistoryWork = {
  hasWork: false,
  write() {},
  committed() {},
  failed() {},
  mark: () => 0,
  isDurable: () => true,
};

/** A store whose history is cared for. */
export class CaredStore {
  readonly keeper: Keeper;
  readonly store: Store;
  readonly tables: HistoryTables;
  readonly log: string[] = [];
  transactions = 0;
  /** True if nothing more may be recorded. */
  isFull = false;
  /** How often all cells were to be recorded again. */
  recordedAll = 0;
  /** Hours before it get no more changes. */
  openFromHour = hourOf(DAY);
  /** The clock, seconds since 1970. */
  now = DAY;
  readonly #writes: HistoryWrites;
  readonly #maxTransactions: number;
  readonly #dead = Promise.withResolvers<void>();

  constructor(store: Store, options: CaredOptions = {}) {
    this.store = store;
    this.tables = options.later === true
      ? laterTables(store.history!)
      : store.history!;
    this.#maxTransactions = options.maxTransactions ?? Infinity;
    const monotonic = () => performance.now();
    this.#writes = new HistoryWrites(NOTHING, {
      monotonic,
      schedule: () => queueMicrotask(() => this.#commit()),
    });
    store.historyWork = this.#writes;
    const getOpenFrom = () => this.openFromHour;
    this.keeper = new Keeper({
      tables: this.tables,
      recorder: {
        get openFromHour() {
          return getOpenFrom();
        },
        capture: () => Promise.resolve(true),
        recordAll: () => this.recordedAll++,
        setFull: (isFull) => this.isFull = isFull,
      },
      writes: this.#writes,
      log: serverLog((line) => this.log.push(line)),
      now: () => this.now * 1000,
      monotonic,
      zones: () => options.zones ?? new Map(),
      share: options.share ?? (() => 1),
    }, {
      keepSeconds: options.keepSeconds ?? 1e9,
      keepRollupsSeconds: options.keepRollupsSeconds ?? 1e9,
      maxBytes: options.maxBytes ?? Infinity,
      cells: options.cells ?? true,
    });
  }

  /** Writes to the tables, in one transaction. */
  write(write: (tables: HistoryTables) => void): Promise<void> {
    return this.#writes.commit([write]);
  }

  /** Appends changes as parts, in their order, several for each tile. */
  async record(changes: readonly Change[], perFlush = 500): Promise<void> {
    if (!this.tables.meta.has(BEGAN)) {
      const began = changes.reduce(
        (first, { second }) => Math.min(first, second),
        Infinity,
      );
      await this.write((tables) => tables.putMeta(BEGAN, began));
    }
    for (let i = 0; i < changes.length; i += perFlush) {
      const flush = changes.slice(i, i + perFlush);
      await this.write((tables) => appendParts(tables, flush));
    }
  }

  /**
   * Closes the hours before a second, and prunes.
   *
   * @returns false if the process died
   */
  async care(to: number): Promise<boolean> {
    this.now = to;
    this.openFromHour = hourOf(to);
    const done = this.keeper.run().then(() => true);
    return await Promise.race([done, this.#dead.promise.then(() => false)]);
  }

  /** Returns the same store with other options: this one is not used again. */
  reopen(options: CaredOptions): CaredStore {
    this.keeper.stop();
    return new CaredStore(this.store, options);
  }

  close(): void {
    this.keeper.stop();
    this.store.close();
  }

  #commit(): void {
    if (this.transactions >= this.#maxTransactions) {
      this.#dead.resolve();
      return;
    }
    if (!this.#writes.hasWork) return;
    this.transactions++;
    const problem = this.store.commitHistory!(Infinity);
    if (problem !== undefined) throw problem;
  }
}

function appendParts(
  tables: HistoryTables,
  changes: readonly Change[],
): void {
  const parts = new Map<string, Change[]>();
  for (const change of changes) {
    const { layer, x, y, second } = change;
    const key = JSON.stringify([layer, x >> 5, y >> 5, hourOf(second)]);
    const ofPart = parts.get(key);
    if (ofPart === undefined) parts.set(key, [change]);
    else ofPart.push(change);
  }
  for (const [key, ofPart] of parts) {
    const [layer, tx, ty, hour] = JSON.parse(key);
    const columns = new TileChanges();
    for (const { x, y, second, value, stale } of ofPart) {
      columns.push(keyOf(x, y), second, value, stale);
    }
    columns.sortPart();
    const bytes = encodeChanges(columns, hour, { compress: false });
    tables.appendPart(layer, tx, ty, hour, bytes);
  }
}

/** Compares states with those of a model. */
export async function assertStates(
  cared: CaredStore,
  model: Model,
  times: number[],
): Promise<void> {
  const reader = new TileReader(cared.tables);
  const frame = new TileFrame();
  for (const cell of model.cells.keys()) {
    const [layer, x, y] = fields(cell);
    for (const time of times) {
      const tile = { layer, tx: x >> 5, ty: y >> 5 };
      await resultOf(reader.stateAt(tile, time, frame));
      const key = keyOf(x, y);
      const actual = frame.has[key] === 0
        ? undefined
        : { value: frame.value[key], stale: frame.stale[key] };
      assert.deepEqual(actual, model.stateOf(cell, time), `${cell} at ${time}`);
    }
  }
}

/** The layer and the coordinates of a cell of a {@linkcode Model}. */
export function fields(cell: string): [layer: string, x: number, y: number] {
  const [layer, x, y] = cell.split(" ");
  return [layer!, Number(x), Number(y)];
}

/** Returns all rows of the tables of a history. */
export function dump(db: DatabaseSync): Record<string, unknown[]> {
  const rows: Record<string, unknown[]> = {};
  for (
    const table of [
      ...["meta", "layer", "tile", "batch", "part", "block", "frame"],
      ...["cell_day", "zone", "zone_day", "gap"],
    ]
  ) {
    rows[table] = db.prepare(`SELECT * FROM history_${table} ORDER BY 1, 2`)
      .all().map((row) => ({ ...row }));
  }
  return rows;
}

/** Returns a store in memory. */
export async function memoryStore(): Promise<Store> {
  const { MemoryStore } = await import("../../../src/store/memory.ts");
  return new MemoryStore();
}
