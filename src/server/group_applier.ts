/**
 * Applies the entries of a committed group to the map.
 *
 * @module
 */
import type { ApplyResult } from "../grid/mod.ts";
import { applyEntry, type Entry } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import type { GroupParser } from "./group_parser.ts";
import type { GroupEntry } from "./group_reader.ts";
import type { SourcedReadings } from "./source_book.ts";
import type { Submission } from "./submission.ts";

const NONE = new Uint32Array();

/** The results of the submissions of a group. */
export type SubmissionResults = ReadonlyMap<Submission, readonly ApplyResult[]>;

/** The same while the group is applied. */
export type WritableResults = Map<Submission, ApplyResult[]>;

/**
 * Applies entries in order, and pauses after each.
 *
 * @param context the map, and what knows its readings
 * @param parser receives the readings that the map drops
 */
export function* applyGroup(
  context: ServerContext,
  parser: GroupParser,
  entries: readonly GroupEntry[],
): Generator<void, SubmissionResults, void> {
  const results: WritableResults = new Map();
  let isFirst = true;
  for (const one of entries) {
    if (!isFirst) yield;
    isFirst = false;
    addResult(results, one, applyOne(context, parser, one));
  }
  return results;
}

/** Adds what {@linkcode applyOne} returned. */
export function addResult(
  results: WritableResults,
  { submission }: GroupEntry,
  result: ApplyResult | undefined,
): void {
  if (submission === undefined || result === undefined) return;
  const before = results.get(submission);
  if (before === undefined) results.set(submission, [result]);
  else before.push(result);
}

/**
 * Applies an entry.
 *
 * @param shard of a journal of several; default: all
 * @returns the result of readings
 */
export function applyOne(
  { map, sources, registry, telemetry, history }: ServerContext,
  parser: GroupParser,
  { entry, batch, from = 0, submission }: GroupEntry,
  shard?: number,
): ApplyResult | undefined {
  history?.advance(entry.now);
  if (entry.kind !== "apply") {
    applyEntry(map, entry, shard);
    return undefined;
  }
  const { layer, readings } = entry;
  let dropped: number[] | undefined;
  const result = applyEntry(map, entry, undefined, (index, code) => {
    (dropped ??= []).push(from + index);
    if (submission !== undefined) submission.onDropped(from + index, code);
    else parser.addDropped(layer, from + index, code);
  });
  if (result === undefined) return undefined;
  if (batch !== undefined) {
    const to = from + readings.length;
    registry.record(batch, from, to, entry.now, dropped);
    const grid = map.layer(layer);
    if (
      grid !== undefined && (batch.sources.length > 1 || sources.has(layer))
    ) sources.record(layer, grid, batch, from, to);
  }
  telemetry.countAccepted(layer, result.changed, result.renewed);
  return result;
}

/**
 * Applies an entry of another server, or of an earlier run, and counts its
 * sources as if this server had received the readings.
 *
 * @param shard of the journal
 * @param ageMs how long ago the readings arrived, in ms
 * @param lagMs the same of readings that count as heard now
 */
export function applyShared(
  { map, sources, registry }: Pick<
    ServerContext,
    "map" | "sources" | "registry"
  >,
  entry: Entry,
  shard: number,
  ageMs = 0,
  lagMs = 0,
): void {
  if (entry.kind !== "apply") {
    applyEntry(map, entry, shard);
    if (entry.kind === "delete") sources.delete(entry.layer);
    return;
  }
  const { layer, readings, now } = entry;
  const { length } = readings;
  const { sources: names, sourceIndex } = entry.sources ?? {
    sources: [""],
    sourceIndex: sources.has(layer) ? new Uint32Array(length) : NONE,
  };
  let dropped: number[] | undefined;
  applyEntry(map, entry, shard, (index, code) => {
    (dropped ??= []).push(index);
    const name = names[sourceIndex[index] ?? 0]!;
    registry.refuse(name, 1, code, now, ageMs, lagMs);
  });
  const batch: SourcedReadings = { ...readings, sources: names, sourceIndex };
  registry.record(batch, 0, length, now, dropped, ageMs, lagMs);
  const grid = map.layer(layer);
  if (grid !== undefined && (names.length > 1 || sources.has(layer))) {
    sources.record(layer, grid, batch, 0, length);
  }
}
