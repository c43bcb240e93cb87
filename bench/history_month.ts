/**
 * `deno run -A bench/history_month.ts [options]`: makes the history of days of a
 * scene of `occupancy simulate`, with the server's clock run fast, and prints
 * how large it is. The server gets each reading with its time, in order, and
 * does everything that it does each second; only the time between is left out.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { decodeChanges } from "../src/history/changes_codec.ts";
import { TileChanges } from "../src/history/tile_changes.ts";
import { ReadingBatch } from "../src/protocol/mod.ts";
import {
  makeScene,
  type SceneName,
  SceneReader,
  SCENES,
  zonesOf,
} from "../src/simulate/mod.ts";
import type { HistorySize, HistoryTables } from "../src/store/store.ts";
import { FastServer } from "../tests/support/fast_server.ts";

const HELP = `Usage: deno run -A bench/history_month.ts [options]

Options:
  --scene NAMES   desks, rooms, parking, robots, campus; default: all
  --size N        number of desks, rooms, bays or robots of the scene
  --days N        default 30
  --store PATH    the file for the history of one scene; default: in memory
  --stale-after S cells are stale after this number of seconds; default never
  --batch S       seconds of readings in a message, default 10
  --end TIME      end of the history; default: the last full hour`;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1970 began on a Thursday: days since the Monday before. */
const EPOCH_WEEKDAY = 3;
const LAYER = "default";

const { values } = parseArgs({
  options: {
    scene: { type: "string", default: SCENES.join(",") },
    size: { type: "string" },
    days: { type: "string", default: "30" },
    store: { type: "string" },
    "stale-after": { type: "string" },
    batch: { type: "string", default: "10" },
    end: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

/** What a scene's history has. */
interface Figures {
  readonly readings: number;
  readonly changes: number;
  readonly size: HistorySize;
  readonly cells: number;
  /** Processor time to close an hour, in ms. */
  readonly closeMs: number;
}

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  console.log(
    "| scene | sensors or cells | readings a day | changes a day | bytes a change | MB in 30 days | blocks, frames, cells by day, zones by day (MB) | ms to close an hour |",
  );
  console.log("|---|---:|---:|---:|---:|---:|---|---:|");
  for (const scene of values.scene.split(",")) {
    const start = performance.now();
    const figures = await record(scene as SceneName);
    const seconds = (performance.now() - start) / 1000;
    printRow(scene, figures);
    console.error(`${scene}: ${seconds.toFixed(0)} s`);
  }
}

function printRow(scene: string, figures: Figures): void {
  const { readings, changes, size, cells, closeMs } = figures;
  const days = Number(values.days);
  const { blocks, frames, cellDays, zoneDays } = size;
  const perChange = (blocks.bytes + frames.bytes) / changes;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(2);
  const byKind = [blocks, frames, cellDays, zoneDays]
    .map(({ bytes }) => mb(bytes)).join(", ");
  console.log(
    `| ${scene} | ${cells} | ${count(readings / days)} | ${
      count(changes / days)
    } | ${perChange.toFixed(2)} (${
      (size.bytes / changes).toFixed(2)
    } with rollups and keys) | ${mb(size.bytes * 30 / days)} | ${byKind} | ${
      closeMs.toFixed(0)
    } |`,
  );
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

async function record(name: SceneName): Promise<Figures> {
  const days = Number(values.days);
  const batchMs = Number(values.batch) * 1000;
  const end = values.end === undefined
    ? Math.floor(Date.now() / HOUR_MS) * HOUR_MS
    : Date.parse(values.end);
  const begin = end - days * DAY_MS;
  const scene = makeScene(name, {
    start: begin + EPOCH_WEEKDAY * DAY_MS,
    ...(values.size !== undefined && { size: Number(values.size) }),
  });
  const staleAfter = values["stale-after"];
  await using fast = await FastServer.start({
    store: values.store === undefined ? "memory:" : `sqlite:${values.store}`,
    now: begin,
    history: { stepSeconds: 1, keepSeconds: 10 * 365 * 86400, maxBytes: 1e12 },
    zones: zonesOf(scene.areas(), LAYER),
    ...(staleAfter !== undefined && {
      ageing: { staleAfter: Number(staleAfter) * 1000 },
    }),
    onLog: (line) => console.error(line),
  });
  const reader = new SceneReader(scene);
  const step = new ReadingBatch();
  const batch = new ReadingBatch();
  let readings = 0;
  let closeMs = 0;
  for (let at = begin; at < end; at += batchMs) {
    batch.clear();
    for (let ms = 0; ms < batchMs; ms += scene.stepMs) {
      step.clear();
      reader.readUntil(at + ms - begin, step);
      for (let i = 0; i < step.length; i++) {
        batch.push(step.x[i]!, step.y[i]!, step.value[i]!, at + ms);
      }
    }
    readings += batch.length;
    fast.advance(at + batchMs);
    await fast.submit(batch);
    // Many hours at once are closed with more of the time.
    if ((at + batchMs) % DAY_MS === 0) closeMs += await closeHours(fast);
  }
  closeMs += await closeHours(fast, 2 * HOUR_MS);
  const tables = fast.store.history!;
  return {
    readings,
    ...await countChanges(tables),
    size: tables.size(),
    closeMs: closeMs / (24 * days),
  };
}

/**
 * Waits until the hours that are due are closed.
 *
 * @returns the processor time, in ms, in steps of 10
 */
async function closeHours(fast: FastServer, idleMs = 0): Promise<number> {
  const before = cpuMs();
  fast.advance(fast.now + idleMs);
  await fast.closeHours();
  return cpuMs() - before;
}

async function countChanges(tables: HistoryTables) {
  const changes = new TileChanges();
  const cells = new Set<string>();
  let count = 0;
  for (const { tx, ty } of await tables.tilesOf(LAYER, undefined, 1e6)) {
    const blocks = await tables.blocks(LAYER, tx, ty, 0, 2 ** 31);
    for (const { hour, bytes } of blocks) {
      changes.clear();
      decodeChanges(bytes!, hour, changes);
      count += changes.length;
      for (let i = 0; i < changes.length; i++) {
        cells.add(`${tx} ${ty} ${changes.key[i]}`);
      }
    }
  }
  return { changes: count, cells: cells.size };
}

/** Processor time of this thread, in ms, in steps of 10 ms. */
function cpuMs(): number {
  // Deno has it; its types of Node.js do not.
  const { threadCpuUsage } = process as unknown as {
    threadCpuUsage(): { user: number; system: number };
  };
  const { user, system } = threadCpuUsage();
  return (user + system) / 1000;
}
