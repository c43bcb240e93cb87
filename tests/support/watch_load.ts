/**
 * Measures watchers while many cells change, for the scenarios and for
 * `bench/watch_load.ts`.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import type { Connection } from "../../src/mqtt/connection.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import type { CellMap } from "../../src/request/mod.ts";
import { until } from "./until.ts";

/** Options of {@linkcode watchLoad}. */
export interface WatchLoadOptions {
  /** The address of the broker. */
  readonly url: string;
  readonly watchers: number;
  /** Cells that change in a round. */
  readonly cells: number;
  /** Rounds per second. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** The result of one watcher. */
export interface WatcherResult {
  /** Snapshots and changes that it received. */
  readonly snapshots: number;
  readonly events: number;
  /** Requests that it sent; more than one means that a delta was lost. */
  readonly requests: number;
  /** Time from sending a reading to its event, ms. */
  readonly medianLagMs: number;
  readonly worstLagMs: number;
  /**
   * Cells in its map, and how many of them have another value than last sent.
   */
  readonly cells: number;
  readonly wrong: number;
}

/** Readings in a message. */
const BATCH_READINGS = 1000;
const SIDE = 100;

/** Changes cells at a rate while watchers receive the changes. */
export async function watchLoad(
  { url, watchers, cells, perSecond, seconds }: WatchLoadOptions,
): Promise<WatcherResult[]> {
  const sentAt: number[] = [];
  const rounds = perSecond * seconds;
  const following = await Promise.all(
    Array.from(
      { length: watchers },
      (_, i) => follow(url, `watcher-${i}`, sentAt),
    ),
  );
  await send(url, cells, perSecond, rounds, sentAt);
  const caughtUp = () => following.every(({ latest }) => latest() === rounds);
  await until(caughtUp, {
    deadline: 10_000,
    what: () => `round ${rounds}: ${following.map(({ latest }) => latest())}`,
  });
  return await Promise.all(following.map(({ end }) => end(rounds)));
}

async function send(
  url: string,
  cells: number,
  perSecond: number,
  rounds: number,
  sentAt: number[],
): Promise<void> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const { Sender } = await import("../../src/client/mod.ts");
  const link = new Connection({ url, clientId: "load" });
  await link.open({ message: () => {} });
  try {
    const sender = new Sender(link, {
      topic: "occupancy/data",
      batch: BATCH_READINGS,
    });
    const batch = new ReadingBatch(cells);
    const start = performance.now();
    for (let round = 1; round <= rounds; round++) {
      batch.clear();
      for (let i = 0; i < cells; i++) {
        batch.push(i % SIDE, Math.floor(i / SIDE), round);
      }
      sentAt[round] = performance.now();
      await sender.send(batch);
      const due = start + round * 1000 / perSecond;
      await delay(Math.max(0, due - performance.now()));
    }
    await sender.finish();
  } finally {
    await link.close();
  }
}

async function follow(url: string, name: string, sentAt: readonly number[]) {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const { Topics } = await import("../../src/protocol/mod.ts");
  const { CellMap, Watcher } = await import("../../src/request/mod.ts");
  const topics = new Topics();
  const watcher = new Watcher({ topics, name, timeout: 10_000 });
  const { subscriptions } = watcher;
  const link = new Connection({ url, clientId: name, subscriptions });
  const requests = countPublished(link);
  await link.open(watcher.handlersFor(link));
  const abort = new AbortController();
  const lags: number[] = [];
  let snapshots = 0;
  let latest = 0;
  let map: CellMap | undefined;
  const first = Promise.withResolvers<void>();
  const done = (async () => {
    for await (const event of watcher.watch(link, { signal: abort.signal })) {
      if (event.kind === "snapshot") snapshots++;
      if (map === undefined) map = new CellMap(event);
      else map.apply(event);
      first.resolve();
      const { value, length } = event.cells;
      let newest = 0;
      for (let i = 0; i < length; i++) newest = Math.max(newest, value[i]!);
      if (event.kind === "snapshot" || newest <= latest) continue;
      latest = newest;
      lags.push(performance.now() - sentAt[newest]!);
    }
  })();
  await Promise.race([first.promise, done]);
  return {
    latest: () => latest,
    end: async (round: number): Promise<WatcherResult> => {
      const isComplete = () => [...map!].every(({ value }) => value === round);
      await until(isComplete, { what: `all cells of round ${round}` }).catch(
        () => {},
      );
      abort.abort();
      await done;
      await link.close();
      const sorted = lags.sort((a, b) => a - b);
      return {
        snapshots,
        events: lags.length,
        requests: requests(),
        medianLagMs: sorted[sorted.length >> 1] ?? NaN,
        worstLagMs: sorted.at(-1) ?? NaN,
        cells: map!.size,
        wrong: [...map!].filter(({ value }) => value !== round).length,
      };
    },
  };
}

/** Counts the messages published on a connection from now on. */
function countPublished(link: Connection): () => number {
  let count = 0;
  const publish = link.publish.bind(link);
  link.publish = (...message) => {
    count++;
    return publish(...message);
  };
  return () => count;
}

/** Returns the memory of a process, in MiB; undefined without /proc. */
export function residentMiB(pid: number): number | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  } catch {
    return undefined;
  }
}
