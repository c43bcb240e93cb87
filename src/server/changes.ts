import { ChangedCells, type Grid, type OccupancyMap } from "../grid/mod.ts";
import type { Link } from "../mqtt/link.ts";
import {
  ChangesWriter,
  type ChangesWriterOptions,
  DEFAULT_PART_BYTES,
  MIN_PART_BYTES,
  type Topics,
} from "../protocol/mod.ts";

/** How often a delta is sent at most, in ms, unless told otherwise. */
export const CHANGES_INTERVAL = 100;
/** Cells of one delta. What is more is told to be asked for. */
const MAX_CELLS = 100_000;
/** Bytes under way; while there are more, changes wait in the map, where they cost nothing. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
/** Intervals between deltas of a layer that changes faster than it can be told. */
const OVERLOAD_PAUSE = 10;
const JSON_TYPE = { contentType: "application/json" } as const;

/** What {@linkcode Changes} is given. */
export interface ChangesOptions {
  readonly link: Link;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  /** ms since 1970. */
  readonly clock: () => number;
  /** ms between deltas at the least; 0 for none at all. */
  readonly interval: number;
  /**
   * Lets cells age to the present, so that what is told is true at the time
   * that it tells: returns that time, or undefined if it cannot be done now.
   */
  readonly refresh: () => number | undefined;
  /** See `MapMoment.began`; asked when it is needed. */
  readonly began: () => number | undefined;
}

/**
 * Tells what changed: for each layer that did, one delta with all cells that
 * changed since the last, at once after a quiet time, then once an interval.
 *
 * Nothing is queued. What changed is read from the map when there is room to
 * send it, so receivers that are slow or gone cost nothing but that room.
 */
export class Changes {
  readonly #options: ChangesOptions;
  /** The revision up to which each layer was told, if it was since the last sync. */
  readonly #told = new Map<string, number>();
  /** The same of all other layers: the revision at the last sync. */
  #synced = 0;
  /** The revision up to which all layers were told. */
  #toldAll = 0;
  /** Intervals that a layer still has to wait, after it was too much. */
  readonly #pauses = new Map<string, number>();
  #up = false;
  /** True if something was lost: nobody can rely on what was told before. */
  #broken = false;
  #unsent = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /**
   * After each connect: tells how far each layer has come. Who has less has
   * missed something, and asks.
   */
  up(): void {
    this.#up = true;
    if (this.#options.interval > 0) this.#sync();
  }

  /** The connection is lost, and with it what was on its way. */
  down(): void {
    this.#up = false;
  }

  /** Told whenever the map may have changed. Costs next to nothing. */
  poke(): void {
    if (this.#timer === undefined) this.#schedule(0);
  }

  /** Tells what is left, and ends. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#pauses.clear();
    this.#tell();
    this.#up = false;
  }

  #schedule(delay: number): void {
    const { interval } = this.#options;
    if (interval === 0 || !this.#up) return;
    this.#timer = setTimeout(() => {
      const told = this.#tell(); // meanwhile poke() need not do anything
      this.#timer = undefined;
      if (told) this.#schedule(interval);
    }, delay);
  }

  /** Tells what changed, if it can; false if nothing did. */
  #tell(): boolean {
    const { map, interval } = this.#options;
    if (!this.#up || interval === 0) return false;
    if (!this.#broken && map.revision === this.#toldAll) return false;
    if (this.#unsent > MAX_UNSENT_BYTES) return true;
    const now = this.#options.refresh();
    if (now === undefined) return true;
    if (this.#broken) this.#sync();
    else this.#tellAll(now);
    return true;
  }

  #tellAll(now: number): void {
    const { map } = this.#options;
    let all = true;
    for (const [layer, grid] of map.layers()) {
      const from = this.#told.get(layer) ?? this.#synced;
      if (grid.revision <= from) continue;
      if (this.#isPaused(layer)) all = false;
      else this.#tellLayer(layer, grid, from, now);
    }
    if (all) this.#toldAll = map.revision;
  }

  /** Counts a layer's pause down. */
  #isPaused(layer: string): boolean {
    const left = this.#pauses.get(layer);
    if (left === undefined) return false;
    if (left > 1) this.#pauses.set(layer, left - 1);
    else this.#pauses.delete(layer);
    return true;
  }

  #tellLayer(layer: string, grid: Grid, from: number, now: number): void {
    const header = this.#headerOf(layer, from, now);
    const writer = new ChangesWriter(header);
    const changed = new ChangedCells(grid, { since: from, limit: MAX_CELLS });
    const { cell } = changed;
    while (changed.next()) {
      writer.cell(cell.x, cell.y, cell.value, cell.time);
    }
    if (changed.exceeded) {
      this.#pauses.set(layer, OVERLOAD_PAUSE);
      this.#syncLayer(layer);
      return;
    }
    this.#told.set(layer, header.to);
    this.#publish(layer, writer.finish());
  }

  #sync(): void {
    const { map } = this.#options;
    this.#broken = false;
    this.#told.clear();
    this.#toldAll = this.#synced = map.revision;
    for (const [layer] of map.layers()) this.#syncLayer(layer);
  }

  /** Tells how far a layer has come, without what changed. */
  #syncLayer(layer: string): void {
    const { map, clock } = this.#options;
    const { revision } = map;
    this.#told.set(layer, revision);
    const header = this.#headerOf(layer, revision, clock());
    const writer = new ChangesWriter(header);
    this.#publish(layer, writer.finish());
  }

  #headerOf(layer: string, from: number, time: number): ChangesWriterOptions {
    const { map, link, topics } = this.#options;
    const began = this.#options.began();
    const room = link.maxPayload?.(topics.changes(layer), JSON_TYPE) ??
      Infinity;
    return {
      maxBytes: Math.max(MIN_PART_BYTES, Math.min(DEFAULT_PART_BYTES, room)),
      layer,
      from,
      to: map.revision,
      time,
      staleAfter: map.ageing.staleAfter,
      ...(began !== undefined && { began }),
    };
  }

  async #publish(
    layer: string,
    parts: readonly Uint8Array[],
  ): Promise<void> {
    const { link, topics } = this.#options;
    const topic = topics.changes(layer);
    await Promise.all(parts.map(async (part) => {
      this.#unsent += part.length;
      try {
        await link.publish(topic, part, JSON_TYPE);
      } catch {
        // The connection was lost: up() comes, or the next delta says it.
        this.#broken = true;
      }
      this.#unsent -= part.length;
    }));
  }
}
