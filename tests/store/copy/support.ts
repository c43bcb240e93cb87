/** A filled store, and copies of it. */
import assert from "node:assert/strict";
import { copyStore } from "../../../src/store/copy/copy.ts";
import type { CopyOptions } from "../../../src/store/copy/copy.ts";
import type { RecordOwner } from "../../../src/store/store.ts";
import { RedisServer } from "../../support/redis.ts";
import { tempDir } from "../../support/temp.ts";
import { bytesFor, QueuedWork } from "../history_support.ts";
import {
  commitAndApply,
  type OpenStore,
  readingsEntry,
  storeOpener,
} from "../support.ts";

export const T0 = 1_700_000_000_000;
export const OWNERS: readonly RecordOwner[] = [
  "broker",
  "zones",
  "home-assistant",
  "zone-memories",
];

/** Opens a file. */
export async function open(path: string): Promise<OpenStore> {
  return (await storeOpener({ path, durability: "commit" }))();
}

/** Copies a store; each is a path, or an address of Redis. */
export function copy(
  from: string,
  to: string,
  options: Partial<CopyOptions> = {},
) {
  const address = (place: string) =>
    place.startsWith("redis:") ? place : `sqlite:${place}`;
  return copyStore(address(from), address(to), {
    force: false,
    limit: { maxBytes: 2 ** 30, memoryBytes: 2 ** 31 },
    onWarning: (line) => assert.fail(line),
    signal: new AbortController().signal,
    ...options,
  });
}

/** The hour of the history of {@linkcode fillHistory}. */
export const HISTORY_HOUR = 490_000;

/** Makes a store with a history: 1200 tiles, an open hour, a zone and a gap. */
export async function fillHistory(path: string): Promise<void> {
  const { store, map } = await open(path);
  const work = new QueuedWork();
  store.historyWork = work;
  work.add((tables) => {
    for (let tx = 0; tx < 1200; tx++) {
      tables.appendPart("hall", tx, 0, HISTORY_HOUR, bytesFor(tx));
    }
    tables.putFrame("hall", 7, 0, HISTORY_HOUR, bytesFor(1));
    tables.putZoneDay("desk", "hall", 20_000, bytesFor(2));
    tables.putMeta("revision", 9);
    tables.addGap({ from: 1, to: 2 });
  });
  commitAndApply(store, map, readingsEntry(T0, [[1, 2, 3]]));
  store.close(map);
}

/**
 * Fills a store with layers, one of them deleted and made again, unknown and
 * stale cells, thresholds, and records.
 *
 * @param end how it is closed: with a checkpoint, or as by a crash
 */
export async function fill(
  path: string,
  end: "clean" | "killed",
): Promise<void> {
  const live = `${path}.live`;
  const { store, map } = await open(live);
  const commit = (...entries: Parameters<typeof readingsEntry>[]) =>
    commitAndApply(
      store,
      map,
      ...entries.map((args) => readingsEntry(...args)),
    );
  commitAndApply(store, map, {
    kind: "configure",
    now: T0,
    ageing: { staleAfter: 1000, forgetAfter: 5000, maxSkew: 60_000 },
  });
  commit([T0, [[1, 2, 3], [-40, 900, 1], [2_147_483_647, 0, 5]]]);
  commit([T0 + 1, [[1, 2, -1]], "hall/ä"], [T0 + 1, [[7, 7, 7]], "gone"]);
  commitAndApply(store, map, { kind: "delete", now: T0 + 2, layer: "gone" });
  commit([T0 + 3, [[8, 8, 8]], "gone"]);
  commitAndApply(store, map, { kind: "age", now: T0 + 3000 });
  commitAndApply(store, map, { kind: "alive", now: T0 + 3000 });
  const ids = OWNERS.flatMap((owner) => {
    for (const _ of store.records.load(owner));
    return [1, 2, 3].map((n) =>
      store.records.add(owner, () => new Uint8Array([n, 0, 255]))
    );
  });
  await new Promise<void>((resolve) =>
    store.records.afterCommit(() => resolve())
  );
  store.records.delete(ids[1]!); // so that ids have a gap
  await new Promise<void>((resolve) =>
    store.records.afterCommit(() => resolve())
  );
  if (end === "clean") store.close(map);
  for (const suffix of end === "clean" ? [""] : ["", "-wal"]) {
    await Deno.copyFile(live + suffix, path + suffix);
  }
  store.close();
  await Deno.remove(live);
}

/** Starts a Redis server, and fills a file to copy into it. */
export async function redisAndFile() {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await RedisServer.start());
  const dir = stack.use(await tempDir());
  const from = `${dir.path}/map.db`;
  await fill(from, "clean");
  const resources = stack.move();
  return {
    redis,
    dir,
    from,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
