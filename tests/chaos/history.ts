/**
 * Kills a server repeatedly during ingest, then checks that its history has
 * every acknowledged reading, at the second of its observation.
 *
 * @module
 */
import { keyOf } from "../../src/grid/tiles.ts";
import { TileFrame } from "../../src/history/tile_frame.ts";
import { TileReader } from "../../src/server/history/tile_reader.ts";
import { openStore } from "../../src/store/open.ts";
import type { HistoryTables } from "../../src/store/store.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { randomIntegers } from "../support/random.ts";
import { resultOf } from "../support/work.ts";
import { Killer, momentsOf } from "./killer.ts";
import { Publisher } from "./publisher.ts";
import { type Message, randomFrom } from "./workload.ts";

const LAYER = "default";
/** In two columns of tiles. */
const SIDE_CELLS = 40;
/** Readings are as old as this, so that all are in open hours. */
const PAST_SECONDS = 50 * 60;
const MAX_BATCH = 20;
const MAX_LISTED = 20;
/** Of cells without late readings: many repeat the state before. */
const VALUES = 3;

/** Options of {@linkcode runHistoryChaos}. */
export interface HistoryChaosOptions {
  readonly readings: number;
  /** How often the server is killed. */
  readonly kills: number;
  readonly seed: number;
}

/** The result of a run. */
export interface HistoryChaosReport {
  readonly acknowledged: number;
  /** Compared states: of all cells, at each second. */
  readonly compared: number;
  /** States that differ from those of the readings; the first ones. */
  readonly wrong: readonly string[];
  /** Time from each kill until the server was ready again, ms. */
  readonly recoveries: readonly number[];
}

/** The values of each cell, by the second from which on they are valid. */
export type HistoryModel = Map<number, Map<number, number>>;

/** Options of {@linkcode planHistory}. */
export interface HistoryPlanOptions {
  readonly readings: number;
  /** The last second of a reading, since 1970. */
  readonly end: number;
  readonly seed: number;
  /** True: readings may arrive in any order. Default false. */
  readonly anyOrder?: boolean;
}

/** Sends readings while the server is killed, then compares the history. */
export async function runHistoryChaos(
  { readings, kills, seed }: HistoryChaosOptions,
): Promise<HistoryChaosReport> {
  const end = Math.floor(Date.now() / 1000) - 1;
  const { messages, model } = planHistory({ readings, end, seed });
  await using folder = await tempDir();
  const port = freePort();
  const store = `sqlite:${folder.path}/map.sqlite`;
  await using killer = await Killer.start([
    ...["server", "--listen", `127.0.0.1:${port}`, "--store", store],
    ...["--history", "30d"],
  ]);
  const publisher = new Publisher({
    port,
    clientId: "chaos-history",
    messages,
    beforeSending: (share) => killer.waitForRestart(share),
  });
  const moments = momentsOf(kills, randomFrom(~seed));
  await Promise.all([
    publisher.run(),
    killer.run({ moments, progress: () => publisher.progress }),
  ]);
  // Once more when all is acknowledged.
  await killer.run({
    moments: [{ share: 1, delayMs: 0 }],
    progress: () => publisher.progress,
  });
  await killer.end();
  return {
    acknowledged: publisher.acknowledged,
    recoveries: killer.recoveries,
    ...await compareStore(store, model, end),
  };
}

/**
 * Plans readings: those of half of the cells in the order of their times, with
 * few values; those of the others at random times, with a new value each,
 * because repeats are not recorded: a late reading would be valid until the next
 * change, also if a repeat came before. No two of a cell are of the same second.
 * If they may arrive in any order, all are of the second kind.
 */
export function planHistory(
  { readings, end, seed, anyOrder = false }: HistoryPlanOptions,
): { messages: Message[]; model: HistoryModel } {
  const random = randomIntegers(seed);
  const model: HistoryModel = new Map();
  const messages: Message[] = [];
  for (let sent = 0; sent < readings;) {
    const rows: { x: number; y: number; value: number; time: number }[] = [];
    const size = Math.min(1 + random(MAX_BATCH), readings - sent);
    for (let i = 0; i < size; i++, sent++) {
      const x = random(SIDE_CELLS);
      const y = random(SIDE_CELLS);
      const isLate = anyOrder || (x + y) % 2 === 0;
      const cell = cellOf(x, y);
      const ofCell = model.get(cell) ?? new Map<number, number>();
      model.set(cell, ofCell);
      const value = isLate ? ofCell.size : random(VALUES);
      const age = isLate
        ? random(PAST_SECONDS)
        : Math.floor(PAST_SECONDS * (1 - sent / readings));
      const second = end - age;
      if (ofCell.has(second)) continue;
      ofCell.set(second, value);
      rows.push({ x, y, value, time: second * 1000 + random(1000) });
    }
    if (rows.length === 0) continue;
    const payload = rows
      .map(({ x, y, value, time }) => [x, y, value, time].join())
      .join("\n");
    messages.push({ payload, readings: rows });
  }
  return { messages, model };
}

/** The number of a cell within the square. */
function cellOf(x: number, y: number): number {
  return y * SIDE_CELLS + x;
}

/**
 * Compares the states of all cells at each second with those of the readings.
 *
 * @param store its address; no server uses it
 * @param end as it was planned
 */
export async function compareStore(
  store: string,
  model: HistoryModel,
  end: number,
): Promise<Pick<HistoryChaosReport, "compared" | "wrong">> {
  const opened = await openStore(store, { durability: "commit" });
  try {
    return await compareHistory(opened.history!, model, end);
  } finally {
    await opened.close();
  }
}

/** Compares the states of all cells at each second. */
export async function compareHistory(
  tables: HistoryTables,
  model: HistoryModel,
  end: number,
): Promise<Pick<HistoryChaosReport, "compared" | "wrong">> {
  const reader = new TileReader(tables);
  const frame = new TileFrame();
  const wrong: string[] = [];
  let compared = 0;
  const last = (SIDE_CELLS - 1) >> 5;
  for (let tile = 0; tile < (last + 1) ** 2; tile++) {
    const tx = tile % (last + 1);
    const ty = Math.floor(tile / (last + 1));
    const states = new Map<number, number>();
    for (let at = end - PAST_SECONDS - 1; at <= end; at++) {
      await resultOf(reader.stateAt({ layer: LAYER, tx, ty }, at, frame));
      for (let y = 32 * ty; y < Math.min(32 * ty + 32, SIDE_CELLS); y++) {
        for (let x = 32 * tx; x < Math.min(32 * tx + 32, SIDE_CELLS); x++) {
          const cell = cellOf(x, y);
          const value = model.get(cell)?.get(at);
          if (value !== undefined) states.set(cell, value);
          const key = keyOf(x, y);
          const actual = frame.has[key] === 1 ? frame.value[key] : undefined;
          compared++;
          if (actual === states.get(cell) && frame.stale[key] === 0) continue;
          if (wrong.length < MAX_LISTED) {
            wrong.push(
              `${x},${y} at ${at}: ${actual}, not ${states.get(cell)}`,
            );
          }
        }
      }
    }
  }
  return { compared, wrong };
}
