/**
 * Copies the history between stores of different kinds, through the interface
 * that both have.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { untilNextTurn } from "../../common/next_turn.ts";
import type { HistoryTables, HistoryWork } from "../history_tables.ts";
import type { StoreError } from "../store_error.ts";
import type { HistorySummary } from "./history.ts";

/** Tiles of a page of their list. */
const TILES_PER_PAGE = 1000;
/** The most that is written at once. */
const ROWS_PER_COMMIT = 1000;
const BYTES_PER_COMMIT = 256 * 1024;
/** All hours and days are below. */
const MAX_TIME = 2 ** 21 - 1;
/**
 * Numbers that are about shards and journals, which the copy has others of.
 * Without them the first server writes the states of all cells once; those that
 * are as before take no space.
 */
const NOT_COPIED = /^(sampled|deletedTo)/;

type Change = (tables: HistoryTables) => void;

/** A row, a number or a gap. */
interface CopiedRow {
  /** Differs from that of all others. */
  readonly key: readonly (string | number)[];
  /** Undefined: damaged. */
  readonly bytes: Uint8Array | undefined;
  readonly write: (tables: HistoryTables, bytes: Uint8Array) => void;
}

/** Commits what the work has to write. Returns why that failed. */
export type CommitHistory = (
  work: HistoryWork,
) => Promise<StoreError | undefined> | StoreError | undefined;

/**
 * Copies a history. Rows that are damaged are left out, and counted.
 *
 * @param source is only read; each tile is copied as it is at one moment
 * @param commit writes to an empty history of a store that nothing else uses
 * @param signal ends it
 * @throws {StoreError} if a store fails
 */
export async function copyHistoryRows(
  source: HistoryTables,
  commit: CommitHistory,
  signal: AbortSignal,
): Promise<HistorySummary> {
  const work = new CopyWork();
  const flush = async () => {
    signal.throwIfAborted();
    const problem = await commit(work);
    if (problem !== undefined) throw problem;
    await untilNextTurn();
  };
  const summary = await summarize(source, signal, async (row, bytes) => {
    work.add((tables) => row.write(tables, bytes), bytes.length);
    if (work.isFull) await flush();
  });
  if (work.hasWork) await flush();
  return summary;
}

/** Reads all rows of a history, to compare it with what was copied. */
export function summarizeHistoryRows(
  history: HistoryTables,
  signal: AbortSignal,
): Promise<HistorySummary> {
  return summarize(history, signal, () => undefined);
}

async function summarize(
  history: HistoryTables,
  signal: AbortSignal,
  receive: (row: CopiedRow, bytes: Uint8Array) => Promise<void> | undefined,
): Promise<HistorySummary> {
  let [rows, damaged, size, sum] = [0, 0, 0, 0n];
  for await (const row of rowsOf(history)) {
    if (row.bytes === undefined) {
      damaged++;
      continue;
    }
    rows++;
    size += row.bytes.length;
    sum += BigInt(crc32(row.bytes, crc32(JSON.stringify(row.key))));
    await receive(row, row.bytes);
    if (rows % ROWS_PER_COMMIT === 0) {
      await untilNextTurn();
      signal.throwIfAborted();
    }
  }
  return { rows, damaged, checksum: [rows, size, sum].join() };
}

async function* rowsOf(history: HistoryTables): AsyncGenerator<CopiedRow> {
  await history.refresh();
  // Before the rows: hours that are closed meanwhile are closed again.
  const numbers = [...history.meta];
  for (const [name, value] of numbers) {
    if (NOT_COPIED.test(name)) continue;
    yield plain(["number", name, value], (to) => to.putMeta(name, value));
  }
  const always = { from: 0, to: Number.MAX_SAFE_INTEGER };
  for (const gap of history.gaps(always)) {
    yield plain(["gap", gap.from, gap.to], (to) => to.addGap(gap));
  }
  for (const layer of history.layers()) {
    let after: { tx: number; ty: number } | undefined;
    do {
      const tiles = await history.tilesOf(
        ...[layer, undefined, TILES_PER_PAGE, after] as const,
      );
      for (const { tx, ty } of tiles) yield* tileRowsOf(history, layer, tx, ty);
      after = tiles.length < TILES_PER_PAGE ? undefined : tiles.at(-1);
    } while (after !== undefined);
  }
  for (const { zone, layer } of await history.zones()) {
    for (const { day, bytes } of await history.zoneDays(zone, 0, MAX_TIME)) {
      yield {
        key: ["zone", zone, layer, day],
        bytes,
        write: (to, bytes) => to.putZoneDay(zone, layer, day, bytes),
      };
    }
  }
}

async function* tileRowsOf(
  history: HistoryTables,
  ...tile: readonly [layer: string, tx: number, ty: number]
): AsyncGenerator<CopiedRow> {
  // No frame is as old as hour 0, so these are all blocks and parts.
  const { blocks, open } = await history.tileRows(...tile, 0, MAX_TIME);
  for (const { hour, bytes } of blocks) {
    yield {
      key: ["block", ...tile, hour],
      bytes,
      write: (to, bytes) => to.putBlock(...tile, hour, bytes),
    };
  }
  for (const { hour, parts } of open) {
    let place = 0; // counts only what can be read, as the copy has it
    for (const { bytes } of parts) {
      yield {
        key: ["part", ...tile, hour, bytes === undefined ? -1 : place++],
        bytes,
        write: (to, bytes) => to.appendPart(...tile, hour, bytes),
      };
    }
  }
  for (let hour = MAX_TIME; hour > 0;) {
    const frame = await history.frameBefore(...tile, hour);
    if (frame === undefined) break;
    yield {
      key: ["frame", ...tile, frame.hour],
      bytes: frame.bytes,
      write: (to, bytes) => to.putFrame(...tile, frame.hour, bytes),
    };
    hour = frame.hour - 1;
  }
  for (const { day, bytes } of await history.cellDays(...tile, 0, MAX_TIME)) {
    yield {
      key: ["cells", ...tile, day],
      bytes,
      write: (to, bytes) => to.putCellDay(...tile, day, bytes),
    };
  }
}

function plain(key: CopiedRow["key"], write: Change): CopiedRow {
  return { key, bytes: new Uint8Array(), write };
}

/** The changes of the next commit. */
class CopyWork implements HistoryWork {
  #changes: Change[] = [];
  #bytes = 0;

  get hasWork(): boolean {
    return this.#changes.length > 0;
  }

  get isFull(): boolean {
    return this.#changes.length >= ROWS_PER_COMMIT ||
      this.#bytes >= BYTES_PER_COMMIT;
  }

  add(change: Change, bytes: number): void {
    this.#changes.push(change);
    this.#bytes += bytes;
  }

  write(tables: HistoryTables): void {
    for (const change of this.#changes) change(tables);
  }

  committed(): void {
    this.#changes = [];
    this.#bytes = 0;
  }

  failed(): void {}

  mark(): number {
    return 0;
  }

  isDurable(): boolean {
    return true;
  }
}
