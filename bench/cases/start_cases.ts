/**
 * How long a server takes to start, by what it finds on disk.
 *
 * @module
 */
import { Child, denoArgs } from "../harness/child.ts";
import { memoryOf } from "../harness/cpu.ts";
import { withFolder } from "../harness/folder.ts";
import type { Order } from "../harness/packets.ts";
import type { Sample } from "../harness/report.ts";
import type { Case, Subject } from "../harness/rounds.ts";
import { READY, startServer } from "../systems/occupancy.ts";
import { freePort } from "../systems/system.ts";
import type { Size } from "./size.ts";

const MILLION = 1_000_000;
const EMPTY = "empty";
const ONE = "1 million cells, dense";
const TEN = "10 million cells, dense";
const SCATTERED = "1 million cells, scattered";

/** What a store is made of. */
export interface StoreContents {
  readonly path: string;
  readonly cells: number;
  readonly order: Order;
}

/** Starts over stores that were closed in good order. */
export function startCases(size: Size): Case[] {
  return [{
    name: "start",
    title: "From the start of the process to ready, SQLite, embedded broker",
    settings: {},
    subjects: [
      ...subjects(EMPTY, 0, "sweep", size),
      ...subjects(ONE, MILLION, "sweep", size),
      ...subjects(SCATTERED, MILLION, "scattered", size),
      ...subjects(TEN, 10 * MILLION, "sweep", size),
    ],
    goals: [
      {
        what: "more than an empty start",
        figure: "startMilliseconds",
        subject: ONE,
        over: EMPTY,
        difference: true,
        atMost: 500,
      },
      {
        what: "in all",
        figure: "startMilliseconds",
        subject: TEN,
        atMost: 5000,
      },
    ],
    maxRounds: 3,
  }];
}

function subjects(
  name: string,
  cells: number,
  order: Order,
  { against }: Size,
): Subject[] {
  const subject = (name: string, root?: string): Subject => ({
    name,
    measure: () => start(cells, order, root),
  });
  return against === undefined
    ? [subject(name)]
    : [subject(name), subject(`${name}, before`, against)];
}

function start(cells: number, order: Order, root?: string): Promise<Sample> {
  return withFolder(async (folder) => {
    const path = `${folder}/map.sqlite`;
    if (cells > 0) await fill({ path, cells, order }, root);
    const startedAt = performance.now();
    await using server = startServer({
      link: ["--listen", `127.0.0.1:${freePort()}`],
      store: `sqlite:${path}`,
      ...(root !== undefined && { root }),
    });
    await server.says(READY);
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
  });
}

async function fill(contents: StoreContents, root?: string): Promise<void> {
  const args = [JSON.stringify({ ...contents, root })];
  await using filling = new Child(
    Deno.execPath(),
    denoArgs("bench/programs/fill_store.ts", args),
    { lines: "stdout" },
  );
  await filling.ends();
}
