/**
 * Writes the messages about the changes of a layer: deltas and announcements.
 *
 * @module
 */
import { ChangedCells, type Grid } from "../grid/mod.ts";
import {
  ChangesWriter,
  type ChangesWriterOptions,
  DEFAULT_PART_BYTES,
  MIN_PART_BYTES,
} from "../protocol/mod.ts";
import type { ServerContext } from "./context.ts";

/** A layer with more changed cells gets an announcement instead of a delta. */
const MAX_DELTA_CELLS = 100_000;

/** How the messages are published. */
export const CHANGES_OPTIONS = { contentType: "application/json" } as const;

/** The parts of a server that the messages need. */
type Context = Pick<ServerContext, "link" | "map" | "topics">;

/** A delta, ready to publish. */
export interface Delta {
  /** The revision of the layer after it. */
  readonly to: number;
  readonly parts: readonly Uint8Array[];
}

/** What a delta is written from. */
export interface DeltaSource {
  readonly layer: string;
  readonly grid: Grid;
  /** The revision after which the cells have changed. */
  readonly from: number;
  /** The time of the map, ms since 1970. */
  readonly time: number;
}

/**
 * Writes the cells of a layer that have changed since a revision.
 *
 * @returns undefined if they are more than 100,000
 */
export function writeDelta(
  context: Context,
  { layer, grid, from, time }: DeltaSource,
): Delta | undefined {
  const to = context.map.revisionOf(layer);
  const writer = new ChangesWriter(headerOf(context, layer, from, to, time));
  const changed = new ChangedCells(grid, {
    since: from,
    limit: MAX_DELTA_CELLS,
  });
  const { cell } = changed;
  while (changed.next()) writer.cell(cell.x, cell.y, cell.value, cell.time);
  return changed.exceeded ? undefined : { to, parts: writer.finish() };
}

/**
 * Writes a delta without cells: receivers with an older revision request what
 * changed.
 *
 * @param revision the revision of the layer that receivers should have
 * @param time the time of the map, ms since 1970
 * @returns its parts: one
 */
export function writeAnnouncement(
  context: Context,
  layer: string,
  revision: number,
  time: number,
): readonly Uint8Array[] {
  const header = headerOf(context, layer, revision, revision, time);
  return new ChangesWriter(header).finish();
}

function headerOf(
  { map, link, topics }: Context,
  layer: string,
  from: number,
  to: number,
  time: number,
): ChangesWriterOptions {
  const began = map.beganOf(layer);
  const limit = link.maxPayload?.(topics.changes(layer), CHANGES_OPTIONS) ??
    Infinity;
  return {
    maxBytes: Math.max(MIN_PART_BYTES, Math.min(DEFAULT_PART_BYTES, limit)),
    layer,
    from,
    to,
    time,
    staleAfter: map.ageingOf(layer).staleAfter,
    ...(began !== undefined && { began }),
  };
}
