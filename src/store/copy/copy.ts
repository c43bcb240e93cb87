/**
 * Copies a store into another one: to move a map, as a backup, and to restore
 * one.
 *
 * @module
 */
import { plural } from "../../common/plural.ts";
import { OccupancyMap } from "../../grid/mod.ts";
import { RedisError } from "../redis/deployment.ts";
import { redisStoreError } from "../redis/redis_problem.ts";
import {
  directoryOf,
  formatStoreAddress,
  parseStoreAddress,
  type StoreLocation,
} from "../location.ts";
import type { HistoryTables } from "../history_tables.ts";
import { type LoadLimit, type RecordOwner, StoreError } from "../store.ts";
import { moveMap, summarizeMap, summarizeRecords } from "./contents.ts";
import { type HistorySummary, isOfFile, summarizeHistory } from "./history.ts";
import { summarizeHistoryRows } from "./history_rows.ts";
import type {
  CopySource,
  CopyTarget,
  RedisCopyOptions,
  StoreExtras,
} from "./endpoints.ts";

/** What only a server does. */
const FOR_SERVERS = /--store|acknowledged|tries again/;

/** Options of {@linkcode copyStore}. */
export interface CopyOptions {
  /** True to replace a target that has a map. */
  readonly force: boolean;
  /** A larger map is not copied. */
  readonly limit: LoadLimit;
  /** Receives a line about a problem that does not prevent the copy. */
  readonly onWarning: (line: string) => void;
  /** How to connect to Redis. */
  readonly redis?: RedisCopyOptions;
  /** Ends it, as a failure does. */
  readonly signal: AbortSignal;
}

/** What was copied. */
export interface CopyResult {
  readonly cells: number;
  readonly layers: number;
  /** Zones, what Home Assistant has of them, and the broker's state. */
  readonly records: number;
  /** Rows of the history, if there is one. */
  readonly history?: number;
  /** A sentence about what was replaced. */
  readonly replaced?: string;
}

/**
 * Copies a store. The source is only read, and must not be in use. The target
 * must be empty; it is read again and compared before a server can see it.
 *
 * @param from address of the source
 * @param to address of the target
 * @throws {StoreError} if anything fails; the target is then as before, but a map
 * in Redis that `force` replaces is lost as soon as the source was read
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
function forCopies(thrown: unknown): unknown {
  const error = thrown instanceof RedisError
    ? redisStoreError("", thrown)
    : thrown;
  if (!(error instanceof StoreError)) return error;
  const { message, hint, cause } = error;
  if (!hint?.match(FOR_SERVERS)) return error;
  const rest = hint.replace(/ (of|in) --store/, "").split(/(?<=\.) /)
    .filter((sentence) => !FOR_SERVERS.test(sentence));
  return new StoreError(message, {
    hint: [
      ...rest.length === 0 ? ["Run it again."] : rest,
      "Nothing was copied.",
    ].join(" "),
    cause,
  });
}

async function copy(
  source: CopySource,
  target: CopyTarget,
  { limit, onWarning, signal }: CopyOptions,
): Promise<CopyResult> {
  const original = new OccupancyMap({}, { shards: source.shards });
  const extras = await source.load(original, limit);
  const owners = recordOwners(source, target, extras, onWarning);
  signal.throwIfAborted();
  const map = await target.begin(source.shards);
  const now = Date.now();
  await moveMap(original, map, now, signal);
  await target.write(map, extras, owners);
  const history = await writeHistory(target, extras, onWarning, signal);
  const expected = await summarizeMap(map, signal);
  for (const [layer] of [...map.layers()]) map.deleteLayer(layer, now);
  const records = summarizeRecords(extras.records, owners);
  // What can be read again counts.
  const found = await target.read();
  const copied = history &&
    await summarizeCopy(extras.history!, found.extras.history!, signal);
  const actual = await summarizeMap(found.map, signal);
  if (
    actual.checksum !== expected.checksum ||
    found.extras.lastAlive !== extras.lastAlive ||
    copied?.checksum !== history?.checksum ||
    summarizeRecords(found.extras.records, owners).checksum !==
      records.checksum
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
    records: records.count,
    ...(history !== undefined && { history: history.rows }),
    ...(replaced !== undefined && { replaced }),
  };
}

/** Copies the history, if there is one, and warns of rows that are damaged. */
async function writeHistory(
  target: CopyTarget,
  { history }: StoreExtras,
  onWarning: (line: string) => void,
  signal: AbortSignal,
): Promise<HistorySummary | undefined> {
  if (history === undefined) return undefined;
  const summary = await target.writeHistory(history, signal);
  if (summary.damaged > 0) {
    onWarning(
      `The history has ${
        plural(summary.damaged, "damaged row")
      } that cannot be copied: this time is missing in the copy`,
    );
  }
  return summary.rows === 0 ? undefined : summary;
}

/** Summarizes the copy of a history in the way in which it was copied. */
async function summarizeCopy(
  source: HistoryTables,
  copy: HistoryTables,
  signal: AbortSignal,
): Promise<HistorySummary> {
  return isOfFile(source) && isOfFile(copy)
    ? summarizeHistory(copy)
    : await summarizeHistoryRows(copy, signal);
}

/** Returns the owners whose records are copied, and warns about the others. */
function recordOwners(
  source: CopySource,
  target: CopyTarget,
  { records }: StoreExtras,
  onWarning: (line: string) => void,
): RecordOwner[] {
  const isKept = (owner: RecordOwner) => target.owners.includes(owner);
  for (const owner of source.owners) {
    if (isKept(owner)) continue;
    const { count } = summarizeRecords(records, [owner]);
    if (count === 0) continue;
    onWarning(
      `The state of the embedded broker is not copied (${
        plural(count, "record")
      }): servers that share a store use another broker`,
    );
  }
  return source.owners.filter(isKept);
}

async function openSource(
  [from, to]: readonly [StoreLocation, StoreLocation],
  { onWarning, redis, signal }: CopyOptions,
): Promise<CopySource> {
  if (from.kind === "memory") throw memoryError();
  if (from.kind === "redis") {
    const { openRedisSource } = await import("./redis_source.ts");
    return await openRedisSource(
      ...[from.address, redis ?? {}, onWarning, signal] as const,
    );
  }
  const { openSqliteSource } = await import("./sqlite_source.ts");
  // Where the copy will be there must be space for as much anyway.
  const folder = to.kind === "sqlite" ? directoryOf(to.path) : undefined;
  return await openSqliteSource(from.path, folder, onWarning);
}

async function openTarget(
  to: StoreLocation,
  { force, redis, signal }: CopyOptions,
): Promise<CopyTarget> {
  if (to.kind === "memory") throw memoryError();
  if (to.kind === "redis") {
    const { openRedisTarget } = await import("./redis_target.ts");
    return await openRedisTarget(to.address, force, redis ?? {}, signal);
  }
  const { openSqliteTarget } = await import("./sqlite_target.ts");
  return await openSqliteTarget(to.path, force);
}

function memoryError(): StoreError {
  return new StoreError("Cannot copy memory: there is no stored map", {
    hint: "Name a store with a file, such as sqlite:map.db.",
  });
}
