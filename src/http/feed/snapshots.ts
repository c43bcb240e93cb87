import { deflateFast } from "./deflate.ts";
import { encodeFrame } from "../../feed/frames.ts";
import { LatestList } from "./latest.ts";
import type { View } from "../../feed/messages.ts";
import type { ReadableMap } from "../context.ts";
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import { SnapshotReader, TILE_CELLS } from "./snapshot_reader.ts";

/** A snapshot can be joined for so long after it was begun, ms... */
const JOIN_MS = 1000;
/** ...while it is not larger than this, bytes. */
const JOIN_BYTES = 8 * 1024 * 1024;

/** Where a viewer is in a snapshot. */
export interface SnapshotCursor {
  readonly snapshot: Snapshot;
  /** How many parts it has been given. */
  taken: number;
}

/**
 * One snapshot, made part by part as its viewers take it: for all who asked for
 * the same view at about the same time.
 *
 * All parts have the revision that the map had when it was begun. A part is read
 * when it is made, so it may have newer cells: the delta that follows begins at
 * that revision, and has these again.
 */
export class Snapshot {
  readonly revision: number;
  /** The newest of its cells; complete when it is. */
  readonly latest: LatestList = new LatestList();
  readonly #view: View;
  readonly #reader: SnapshotReader;
  readonly #cells: CellColumns;
  readonly #cursors = new Set<SnapshotCursor>();
  /** Those that may still be asked for; those before are dropped. */
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #dropped = 0;
  #bytes = 0;
  readonly #joinable: () => boolean;

  /**
   * @param scratch room for the cells of a part, used while one is made
   * @param joinable whether viewers may still join: until then, parts are kept
   */
  constructor(
    map: ReadableMap,
    view: View,
    scratch: CellColumns,
    joinable: (bytes: number) => boolean,
  ) {
    this.revision = map.revision;
    this.#view = view;
    this.#reader = new SnapshotReader(map.layer(view.layer), view.region);
    this.#cells = scratch;
    this.#joinable = () => joinable(this.#bytes);
  }

  /** Whether a viewer may still join: all parts that were made are there. */
  get joinable(): boolean {
    return this.#dropped === 0 && this.#joinable();
  }

  /** Lets a viewer in, at the first part. */
  join(): SnapshotCursor {
    const cursor = { snapshot: this, taken: 0 };
    this.#cursors.add(cursor);
    return cursor;
  }

  /** Lets a viewer out: it has all parts, or wants no more. */
  leave(cursor: SnapshotCursor): void {
    this.#cursors.delete(cursor);
    this.#drop();
  }

  /** Whether that viewer has all parts. */
  isComplete({ taken }: SnapshotCursor): boolean {
    return this.#reader.done && taken === this.#dropped + this.#parts.length;
  }

  /**
   * The next part for a viewer; made if nobody has had it yet. There must be one.
   *
   * @param time the server's clock, at which the map is right
   * @param enough whether making it has taken long enough: then the part is small
   */
  take(
    cursor: SnapshotCursor,
    time: number,
    enough: () => boolean,
  ): Uint8Array<ArrayBuffer> {
    const index = cursor.taken++ - this.#dropped;
    if (index === this.#parts.length) this.#make(time, enough);
    const part = this.#parts[index]!;
    this.#drop();
    return part;
  }

  #make(time: number, enough: () => boolean): void {
    const cells = this.#cells;
    cells.length = 0;
    this.#reader.read(cells, enough);
    this.latest.add(cells);
    const part = this.#dropped + this.#parts.length + 1;
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

  /** Drops the parts that nobody will ask for. */
  #drop(): void {
    if (this.#joinable()) return;
    let taken = this.#dropped + this.#parts.length;
    for (const cursor of this.#cursors) taken = Math.min(taken, cursor.taken);
    this.#parts.splice(0, taken - this.#dropped);
    this.#dropped = taken;
  }
}

/** The snapshots that can still be joined. */
export class Snapshots {
  readonly #map: ReadableMap;
  readonly #scratch: CellColumns;
  readonly #byView = new Map<string, Snapshot>();

  /** @param partCells the most cells of a part */
  constructor(map: ReadableMap, partCells: number) {
    this.#map = map;
    this.#scratch = newColumns(Math.max(partCells, TILE_CELLS));
  }

  /**
   * A place in a snapshot of a view: of one that was begun just now, or of a new one.
   *
   * @param at ms, of a clock that nobody sets
   * @param least the revision that it must have at the least
   */
  join(view: View, at: number, least: number): SnapshotCursor {
    this.sweep();
    const key = keyOf(view);
    let snapshot = this.#byView.get(key);
    if (snapshot === undefined || snapshot.revision < least) {
      const end = at + JOIN_MS;
      snapshot = new Snapshot(
        this.#map,
        view,
        this.#scratch,
        (bytes) => bytes <= JOIN_BYTES && performance.now() < end,
      );
      this.#byView.set(key, snapshot);
    }
    return snapshot.join();
  }

  /** Lets go of those that can be joined no more. */
  sweep(): void {
    for (const [key, { joinable }] of this.#byView) {
      if (!joinable) this.#byView.delete(key);
    }
  }
}

/** The same for the same views only. */
export function keyOf({ layer, region }: View): string {
  return region === null
    ? layer
    : `${layer} ${region.x0} ${region.y0} ${region.x1} ${region.y1}`;
}
