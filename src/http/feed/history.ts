import type { ReadableMap } from "../context.ts";
import type { HistoryPoint } from "../../feed/messages.ts";

/** ms between two points. */
export const HISTORY_STEP = 5000;
/** Points of a layer: the last half hour. */
const POINTS = 30 * 60_000 / HISTORY_STEP;
/** Layers that have a history, the first that came: 9 KiB each. */
const LAYERS = 256;
/** Numbers of a point: time, people, occupied. */
const FIELDS = 3;

/** What the counts of each layer were in the last half hour; in memory only. */
export class History {
  readonly #layers = new Map<string, Ring>();

  /**
   * Notes the counts as they are now.
   *
   * @param time ms since 1970
   */
  sample(map: ReadableMap, time: number): void {
    for (const [name, grid] of map.layers()) {
      let ring = this.#layers.get(name);
      if (ring === undefined) {
        if (this.#layers.size === LAYERS) continue;
        ring = new Ring();
        this.#layers.set(name, ring);
      }
      const { people, occupied } = grid.counts();
      ring.push([time, people, occupied]);
    }
  }

  /** The points of a layer, the oldest first; empty if it has none. */
  points(layer: string): HistoryPoint[] {
    return this.#layers.get(layer)?.all() ?? [];
  }
}

/** The last so many points. */
class Ring {
  readonly #fields = new Float64Array(POINTS * FIELDS);
  #count = 0;

  push(point: HistoryPoint): void {
    this.#fields.set(point, this.#count++ % POINTS * FIELDS);
  }

  all(): HistoryPoint[] {
    const points: HistoryPoint[] = [];
    for (let i = Math.max(0, this.#count - POINTS); i < this.#count; i++) {
      const at = i % POINTS * FIELDS;
      const [time, people, occupied] = this.#fields.subarray(at, at + FIELDS);
      points.push([time!, people!, occupied!]);
    }
    return points;
  }
}
