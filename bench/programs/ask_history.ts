/**
 * Answers one kind of question about the past again and again, from the tables
 * of a history as a server would: `ask_history.ts FILE QUESTION COUNT`. With the
 * question `make`, it first makes the file: a month of an office of 100,000
 * desks.
 *
 * @module
 */
import { HistoryQueries } from "../../src/server/history/queries/service.ts";
import { OpenedTables } from "../../tests/support/history_tables.ts";
import { writeOffice } from "../../tests/support/office_month.ts";
import { randomIntegers } from "../../tests/support/random.ts";
import { rectangle, zoneOf } from "../../tests/zones/shapes.ts";
import { quantile } from "../harness/statistics.ts";
import { report } from "../harness/program_io.ts";

const LAYER = "office";
const DESKS = 100_000;
const DAYS = 30;
const DAY_SECONDS = 24 * 3600;
/** A Thursday afternoon: the present day has no rollups yet. */
const END = Date.parse("2026-11-26T14:37:11Z") / 1000;
/** Of about 7,000 desks. */
const ZONE = { ...zoneOf("east", [rectangle(0, 0, 130, 80)]), layer: LAYER };
const WARM_UP_QUESTIONS = 2;

const [file, question, count] = Deno.args;
using opened = new OpenedTables(file!);
if (question === "make") {
  const changes = writeOffice(opened, {
    ...{ layer: LAYER, desks: DESKS, days: DAYS, end: END },
    zones: [ZONE],
  });
  report({ changes, bytes: opened.tables.size().bytes });
} else {
  const times = await timesOf(ask(question!), Number(count));
  report({
    p50: quantile(times, 0.5),
    worst: Math.max(...times),
    turn: await longestTurn(ask(question!)),
  });
}

function ask(question: string): () => Promise<unknown> {
  const queries = new HistoryQueries({
    tables: opened.tables,
    recorder: {
      capture: () => Promise.resolve(true),
      ...{ lagMs: 0, tooLate: 0, dropped: 0 },
    },
    log: {
      warnLimited(_kind, line) {
        throw new Error(String(line));
      },
    },
    now: () => END * 1000,
    monotonic: () => performance.now(),
    zones: () => new Map([[ZONE.name, ZONE]]),
    problem: () => undefined,
    kept: {
      ...{ stepSeconds: 1, cells: true, maxBytes: Infinity },
      keepSeconds: DAYS * DAY_SECONDS,
      keepRollupsSeconds: 730 * DAY_SECONDS,
      timezone: "Europe/Berlin",
    },
  });
  const random = randomIntegers(1);
  const range = { from: (END - DAYS * DAY_SECONDS) * 1000, to: END * 1000 };
  switch (question) {
    case "map":
      return async () => {
        const at = (END - random(DAYS * DAY_SECONDS)) * 1000;
        const { cells } = await queries.mapAt({ layer: LAYER, at });
        if (cells.length !== DESKS) throw new Error(`${cells.length} cells`);
      };
    case "zone":
      return async () => {
        const series = { zone: ZONE.name, ...range, step: "1h" } as const;
        const { known } = await queries.zoneSeries(series);
        if (known.at(-1) !== 1) throw new Error("The last hour is not known");
      };
    case "utilisation":
      return async () => {
        const { cells } = await queries.utilisation({ layer: LAYER, ...range });
        if (cells.length !== DESKS) throw new Error(`${cells.length} cells`);
      };
  }
  throw new RangeError(`There is no question ${question}`);
}

async function timesOf(
  ask: () => Promise<unknown>,
  count: number,
): Promise<number[]> {
  for (let i = 0; i < WARM_UP_QUESTIONS; i++) await ask();
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
  }
  return times;
}

/** How long another turn of the event loop waits at most, in ms. */
async function longestTurn(ask: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 0);
  await Promise.all([ask(), ask(), ask()]);
  clearInterval(timer);
  return longest;
}
