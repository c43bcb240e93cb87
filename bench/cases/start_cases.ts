/**
 * Cases of start: the time from the start of the process until the server is
 * ready, by the size of its store.
 *
 * @module
 */
import { freePort, tempDir } from "../../tests/support/temp.ts";
import { Child, denoArgs } from "../harness/child.ts";
import { memoryOf } from "../harness/meter.ts";
import type { Order } from "../harness/packets.ts";
import type { Sample } from "../harness/report.ts";
import { type Case, ourSubjects, type Size } from "../harness/rounds.ts";
import { startServer } from "../systems/occupancy.ts";

const MILLION = 1_000_000;
const EMPTY = "empty";
const ONE = "1 million cells, dense";
const TEN = "10 million cells, dense";
const SCATTERED = "1 million cells, scattered";

/** Options of `programs/fill_store.ts`. */
export interface StoreContents {
  /** Path of the store. */
  readonly path: string;
  readonly cells: number;
  readonly order: Order;
  /** The checkout whose code writes the store; default: this one. */
  readonly root?: string | undefined;
}

/** Starts with stores that were closed cleanly. */
export function startCases(size: Size): Case[] {
  const subjects = (name: string, cells: number, order: Order) =>
    ourSubjects(name, size, (root) => start(cells, order, root));
  return [{
    name: "start",
    title: "Start of the process until ready, SQLite, embedded broker",
    settings: {},
    subjects: [
      ...subjects(EMPTY, 0, "sweep"),
      ...subjects(ONE, MILLION, "sweep"),
      ...subjects(SCATTERED, MILLION, "scattered"),
      ...subjects(TEN, 10 * MILLION, "sweep"),
    ],
    goals: [
      {
        what: "more than with an empty store",
        figure: "startMilliseconds",
        subject: ONE,
        over: EMPTY,
        difference: true,
        atMost: 500,
      },
      {
        what: "total",
        figure: "startMilliseconds",
        subject: TEN,
        atMost: 5000,
      },
    ],
    maxRounds: 3,
  }];
}

async function start(
  cells: number,
  order: Order,
  root?: string,
): Promise<Sample> {
  await using folder = await tempDir();
  const path = `${folder.path}/map.sqlite`;
  if (cells > 0) await fill({ path, cells, order, root });
  const startedAt = performance.now();
  await using server = await startServer({
    link: ["--listen", `127.0.0.1:${freePort()}`],
    store: `sqlite:${path}`,
    root,
  });
  const startMilliseconds = performance.now() - startedAt;
  const { now, peak } = memoryOf(server.pid);
  return {
    figures: {
      startMilliseconds,
      residentBytes: now,
      peakResidentBytes: peak,
      fileBytes: (await Deno.stat(path)).size,
    },
  };
}

async function fill(contents: StoreContents): Promise<void> {
  await using filling = new Child(
    Deno.execPath(),
    denoArgs("bench/programs/fill_store.ts", [JSON.stringify(contents)]),
    { lines: "stdout" },
  );
  await filling.ended();
}
