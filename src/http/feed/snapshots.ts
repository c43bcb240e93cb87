/**
 * Snapshots for viewers. Viewers that request the same view at about the same
 * time share one snapshot.
 *
 * @module
 */
import { deflateRawSync } from "node:zlib";
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import { encodeFrame } from "../../feed/frames.ts";
import type { View } from "../../feed/messages.ts";
import { TILE_CELLS } from "../../grid/tiles.ts";
import type { ReadableMap } from "../context.ts";
import { LatestList } from "./latest_list.ts";
import { SnapshotReader } from "./snapshot_reader.ts";

/** Viewers may join a snapshot within this time of its start... */
const JOIN_PERIOD_MS = 1000;
/** ...unless it has more bytes. */
const MAX_JOIN_BYTES = 8 * 1024 * 1024;

/** The position of a viewer in a snapshot. */
export interface SnapshotCursor {
  readonly snapshot: Snapshot;
  /** Parts that the viewer has received. */
  taken: number;
}

/**
 * A snapshot of a view. A part is made when the first viewer takes it.
 *
 * All parts have the revision that the layer had at the start. A part is read
 * when it is made, so it may have later changes; the first delta starts at that
 * revision and has these changes again.
 */
export class Snapshot {
  readonly revision: number;
  /** `OccupancyMap.identityOf` the layer at the start. */
  readonly identity: string;
  /** The cells with the latest observations, of the parts made so far. */
  readonly latest: LatestList = new LatestList();
  readonly #view: View;
  readonly #reader: SnapshotReader;
  readonly #buffer: CellColumns;
  readonly #cursors = new Set<SnapshotCursor>();
  /** The parts that a viewer may still take. */
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  /** The number of removed parts: all viewers have taken them. */
  #removed = 0;
  #bytes = 0;
  readonly #mayJoin: () => boolean;

  /**
   * @param buffer room for the cells of a part, shared with other snapshots
   * @param mayJoin returns true while viewers may join; during this time all
   * parts are kept
   */
  constructor(
    map: ReadableMap,
    view: View,
    buffer: CellColumns,
    mayJoin: (bytes: number) => boolean,
  ) {
    this.revision = map.revisionOf(view.layer);
    this.identity = map.identityOf(view.layer);
    this.#view = view;
    this.#reader = new SnapshotReader(map.layer(view.layer), view.region);
    this.#buffer = buffer;
    this.#mayJoin = () => mayJoin(this.#bytes);
  }

  /** True while viewers may join. */
  get canJoin(): boolean {
    return this.#removed === 0 && this.#mayJoin();
  }

  /** Adds a viewer; returns its position, before the first part. */
  join(): SnapshotCursor {
    const cursor = { snapshot: this, taken: 0 };
    this.#cursors.add(cursor);
    return cursor;
  }

  /** Removes a viewer. */
  leave(cursor: SnapshotCursor): void {
    this.#cursors.delete(cursor);
    this.#removeTaken();
  }

  /** Returns true if the viewer has all parts. */
  isComplete({ taken }: SnapshotCursor): boolean {
    return this.#reader.done && taken === this.#removed + this.#parts.length;
  }

  /**
   * Returns the next part for a viewer that does not have all parts.
   *
   * @param time the time at which the map is correct, ms since 1970
   * @param isTimeUp returns true to end the part early
   */
  take(
    cursor: SnapshotCursor,
    time: number,
    isTimeUp: () => boolean,
  ): Uint8Array<ArrayBuffer> {
    const index = cursor.taken++ - this.#removed;
    if (index === this.#parts.length) this.#makePart(time, isTimeUp);
    const part = this.#parts[index]!;
    this.#removeTaken();
    return part;
  }

  #makePart(time: number, isTimeUp: () => boolean): void {
    const cells = this.#buffer;
    cells.length = 0;
    this.#reader.read(cells, isTimeUp);
    this.latest.add(cells);
    const part = this.#removed + this.#parts.length + 1;
    const bytes = encodeFrame({
      kind: "snapshot",
      ...this.#view,
      revision: this.revision,
      time,
      part,
      parts: this.#reader.done ? part : 0,
      cells,
    }, deflateFast);
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
  }

  /** Removes the parts that all viewers have, if no viewer can join. */
  #removeTaken(): void {
    if (this.#mayJoin()) return;
    let taken = this.#removed + this.#parts.length;
    for (const cursor of this.#cursors) taken = Math.min(taken, cursor.taken);
    this.#parts.splice(0, taken - this.#removed);
    this.#removed = taken;
  }
}

/** The snapshots that viewers can join. */
export class Snapshots {
  readonly #map: ReadableMap;
  readonly #buffer: CellColumns;
  readonly #byView = new Map<string, Snapshot>();

  /** @param partCells maximum cells of a part */
  constructor(map: ReadableMap, partCells: number) {
    this.#map = map;
    this.#buffer = newColumns(Math.max(partCells, TILE_CELLS));
  }

  /**
   * Joins a snapshot of a view, or starts one.
   *
   * @param at monotonic time, in ms
   * @param minRevision the snapshot has this revision or a later one
   */
  join(view: View, at: number, minRevision: number): SnapshotCursor {
    this.removeExpired();
    const key = viewKey(view);
    let snapshot = this.#byView.get(key);
    if (
      snapshot === undefined || snapshot.revision < minRevision ||
      snapshot.identity !== this.#map.identityOf(view.layer)
    ) {
      const end = at + JOIN_PERIOD_MS;
      snapshot = new Snapshot(
        this.#map,
        view,
        this.#buffer,
        (bytes) => bytes <= MAX_JOIN_BYTES && performance.now() < end,
      );
      this.#byView.set(key, snapshot);
    }
    return snapshot.join();
  }

  /** Removes the snapshots that viewers can no longer join. */
  removeExpired(): void {
    for (const [key, { canJoin }] of this.#byView) {
      if (!canJoin) this.#byView.delete(key);
    }
  }
}

/** Returns a key that is the same for equal views only. */
export function viewKey({ layer, region }: View): string {
  return region === null
    ? layer
    : `${layer} ${region.x0} ${region.y0} ${region.x1} ${region.y1}`;
}

/** Compresses (RFC 1951) at the fastest level, because readings wait for it. */
export function deflateFast(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: 1 });
}
