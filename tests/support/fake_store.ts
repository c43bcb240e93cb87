import type { OccupancyMap } from "../../src/grid/mod.ts";
import {
  applyEntry,
  type Entry,
  type Store,
  StoreError,
} from "../../src/store/store.ts";

/** Options of {@linkcode FakeStore}. */
export interface FakeStoreOptions {
  /**
   * Whether a later {@linkcode FakeStore.load} replays what was committed.
   * Default false.
   */
  readonly durable?: boolean;
  /** When the server was last alive, ms since 1970. */
  readonly lastAlive?: number | undefined;
}

/** A store in memory that a test can observe and make fail. */
export class FakeStore implements Store {
  readonly description = "memory:";
  readonly durable: boolean;
  lastAlive: number | undefined;
  /** If true, each commit fails. */
  failing = false;
  /** Called after each commit with its number of readings. */
  onCommit: ((readings: number) => void) | undefined;
  /** What was committed, if the store is durable. */
  readonly journal: Entry[] = [];

  constructor({ durable = false, lastAlive }: FakeStoreOptions = {}) {
    this.durable = durable;
    this.lastAlive = lastAlive;
  }

  load(map: OccupancyMap): void {
    for (const entry of this.journal) applyEntry(map, entry);
  }

  commit(entries: readonly Entry[]): void {
    if (this.failing && entries.length > 0) {
      throw new StoreError("The disk is full");
    }
    let readings = 0;
    for (const entry of entries) {
      if (entry.kind === "apply") readings += entry.readings.length;
      if (entry.kind === "alive") this.lastAlive = entry.now;
      if (this.durable) this.journal.push(copyOf(entry));
    }
    this.onCommit?.(readings);
  }

  applied(): void {}

  close(): void {}
}

/** The server reuses the columns of readings. */
function copyOf(entry: Entry): Entry {
  if (entry.kind !== "apply") return entry;
  const { length, x, y, value, time } = entry.readings;
  return {
    ...entry,
    readings: {
      length,
      x: x.slice(0, length),
      y: y.slice(0, length),
      value: value.slice(0, length),
      time: time.slice(0, length),
    },
  };
}
