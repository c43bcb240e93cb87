/**
 * Copies a store into another one: to move a map, as a backup, and to restore
 * one.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { OccupancyMap } from "../../grid/mod.ts";
import {
  directoryOf,
  formatStoreAddress,
  parseStoreAddress,
  type StoreLocation,
} from "../location.ts";
import {
  type Entry,
  type LoadLimit,
  type RecordOwner,
  type Store,
  StoreError,
} from "../store.ts";
import {
  copyRecords,
  moveMap,
  summarizeMap,
  summarizeRecords,
} from "./contents.ts";
import type { CopySource, CopyTarget } from "./endpoints.ts";

/** How often it is checked whether records cannot be committed. */
const CHECK_INTERVAL_MS = 100;

/** Options of {@linkcode copyStore}. */
export interface CopyOptions {
  /** True to replace a target that has a map. */
  readonly force: boolean;
  /** A larger map is not copied. */
  readonly limit: LoadLimit;
  /** Receives a line about a problem that does not prevent the copy. */
  readonly onWarning: (line: string) => void;
  /** Ends it; the target is then as before. */
  readonly signal: AbortSignal;
}

/** What was copied. */
export interface CopyResult {
  readonly cells: number;
  readonly layers: number;
  /** Zones, what Home Assistant has of them, and the broker's state. */
  readonly records: number;
  /** A sentence about what was replaced. */
  readonly replaced?: string;
}

/**
 * Copies a store. The source is only read, and must not be in use. The target
 * must be empty; it is read again and compared before a server can see it.
 *
 * @param from address of the source
 * @param to address of the target
 * @throws {StoreError} if anything fails; the target is then as before
 */
export async function copyStore(
  from: string,
  to: string,
  options: CopyOptions,
): Promise<CopyResult> {
  const places = [from, to].map((address) =>
    parseStoreAddress(address, undefined)
  ) as [StoreLocation, StoreLocation];
  await assertDifferent(...places);
  try {
    // The target first: it is cheaper to check.
    await using target = await openTarget(places[1], options);
    await using source = await openSource(places, options);
    try {
      return await copy(source, target, options);
    } catch (error) {
      throw source.translate(error);
    }
  } catch (error) {
    throw forCopies(error);
  }
}

/** @throws {StoreError} if both addresses name the same store */
async function assertDifferent(
  from: StoreLocation,
  to: StoreLocation,
): Promise<void> {
  const [first, second] = await Promise.all([from, to].map(async (place) => {
    if (place.kind === "memory") throw memoryError();
    return place.kind === "sqlite"
      ? await Deno.realPath(place.path).catch(() => place.path)
      : formatStoreAddress(place);
  }));
  if (first !== second) return;
  throw new StoreError(`Cannot copy ${first} to itself`, {
    hint: "Name two stores: occupancy store copy FROM TO.",
  });
}

/** The hints of the errors of a store are for servers. */
function forCopies(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const { message, hint, cause } = error;
  if (!hint?.match(/--store|acknowledged/)) return error;
  const rest = hint.split(/(?<=\.) /)
    .filter((sentence) => !/--store|acknowledged/.test(sentence));
  return new StoreError(message, {
    hint: [...rest, "Nothing was copied."].join(" "),
    cause,
  });
}

async function copy(
  source: CopySource,
  target: CopyTarget,
  { limit, onWarning, signal }: CopyOptions,
): Promise<CopyResult> {
  const from = source.store;
  const original = new OccupancyMap();
  await from.load(original, limit);
  const owners = recordOwners(source, target, onWarning);
  const map = target.emptyMap();
  await target.store.load(map);
  const now = Date.now();
  await moveMap(original, map, now, signal);
  const { lastAlive } = from;
  const entries: Entry[] = [{ kind: "configure", now, ageing: map.ageing }];
  if (lastAlive !== undefined) entries.push({ kind: "alive", now: lastAlive });
  if (from.records !== undefined && target.store.records !== undefined) {
    copyRecords(from.records, target.store.records, owners, target.keepsIds);
  }
  await target.store.commit(entries);
  await target.store.checkpoint!(map);
  await recordsCommitted(target.store);
  const expected = await summarizeMap(map, signal);
  for (const [layer] of [...map.layers()]) map.deleteLayer(layer, now);
  const records = from.records && summarizeRecords(from.records, owners);
  // What is on the disk counts.
  const written = await target.reopen();
  const found = target.emptyMap();
  await written.load(found);
  const actual = await summarizeMap(found, signal);
  const actualRecords = written.records &&
    summarizeRecords(written.records, owners);
  if (
    actual.checksum !== expected.checksum || written.lastAlive !== lastAlive ||
    records?.checksum !== actualRecords?.checksum
  ) {
    throw new StoreError(
      `The copy differs from ${source.description}: it was removed`,
      { hint: "Check the disks of both, and try again." },
    );
  }
  signal.throwIfAborted();
  const replaced = await target.complete();
  return {
    cells: actual.cells,
    layers: actual.layers,
    records: records?.count ?? 0,
    ...(replaced !== undefined && { replaced }),
  };
}

/** Returns the owners whose records are copied, and warns about the others. */
function recordOwners(
  source: CopySource,
  target: CopyTarget,
  onWarning: (line: string) => void,
): RecordOwner[] {
  const { records } = source.store;
  const isKept = (owner: RecordOwner) => target.owners.includes(owner);
  for (const owner of source.owners) {
    if (isKept(owner) || records === undefined) continue;
    const { count } = summarizeRecords(records, [owner]);
    if (count === 0) continue;
    onWarning(
      `The state of the embedded broker is not copied (${count} records): servers that share a store use another broker`,
    );
  }
  return source.owners.filter(isKept);
}

async function recordsCommitted(store: Store): Promise<void> {
  const { records } = store;
  if (records === undefined) return;
  const committed = new Promise<void>((resolve) =>
    records.afterCommit(() => resolve())
  );
  while (!await doneWithin(committed, CHECK_INTERVAL_MS)) {
    const problem = store.problem?.();
    if (problem !== undefined) throw problem;
  }
}

async function openSource(
  [from, to]: readonly [StoreLocation, StoreLocation],
  { onWarning }: CopyOptions,
): Promise<CopySource> {
  if (from.kind !== "sqlite") throw redisError();
  const { copySource } = await import("./sqlite_source.ts");
  // Where the copy will be there must be space for as much anyway.
  const folder = to.kind === "sqlite" ? directoryOf(to.path) : undefined;
  const files = await copySource(from.path, folder);
  let store: Store;
  try {
    store = await files.open(onWarning);
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
  return {
    store,
    description: from.path,
    translate: files.translate,
    owners: ["broker", "zones", "home-assistant", "zone-memories"],
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await files[Symbol.asyncDispose]();
    },
  };
}

async function openTarget(
  to: StoreLocation,
  { force }: CopyOptions,
): Promise<CopyTarget> {
  if (to.kind !== "sqlite") throw redisError();
  const { openSqliteTarget } = await import("./sqlite_target.ts");
  return await openSqliteTarget(to.path, force);
}

function memoryError(): StoreError {
  return new StoreError("Cannot copy memory: there is no stored map", {
    hint: "Name a store with a file, such as sqlite:map.db.",
  });
}

function redisError(): StoreError {
  return new StoreError("Cannot copy a store in Redis: only files", {
    hint: "Name two files, such as sqlite:map.db.",
  });
}
