/**
 * The order of the list of zones: the fullest first, filtered and searched.
 * Pure.
 *
 * @module
 */

import type { ZoneState } from "../../zones/zone_state.ts";
import { fold } from "../elements/format.ts";
import { matchesFilter, type ZoneFilter, zoneTitle } from "./zone_text.ts";

/** Which zones the list shows. */
export interface ZoneQuery {
  /** Undefined: of all layers. */
  readonly layer: string | undefined;
  readonly filter: ZoneFilter;
  /** In the title or the name; without regard to case and accents. */
  readonly search: string;
}

/** The zones that a query has. */
export interface FoundZones {
  /** The fullest first; those of which nothing is known last. */
  readonly states: readonly ZoneState[];
  /** How many zones of the layer each filter has. */
  readonly counts: Readonly<Record<ZoneFilter, number>>;
  /** Whether there are zones of other layers. */
  readonly hasOthers: boolean;
}

/** A zone with what its order and the search need. */
interface Entry {
  state: ZoneState;
  readonly text: string;
  /** Its place in the order of titles. */
  rank: number;
}

/** `Room 2` comes before `Room 10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

/** Sorts zones. Titles are compared only when they change: that is slow. */
export class ZoneOrder {
  readonly #entries = new Map<string, Entry>();
  #isRanked = true;

  /** Number of zones, of all layers. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Takes changed states.
   *
   * @param states by name, of all zones
   * @param names that have changed; undefined: all
   * @returns whether zones were added or removed, or have another title
   */
  update(
    states: ReadonlyMap<string, ZoneState>,
    names: Iterable<string> | undefined,
  ): boolean {
    if (names === undefined) this.#entries.clear();
    let changed = names === undefined;
    for (const name of names ?? states.keys()) {
      const state = states.get(name);
      const entry = this.#entries.get(name);
      if (state === undefined) changed = this.#entries.delete(name) || changed;
      else if (entry !== undefined && entry.state.title === state.title) {
        entry.state = state;
      } else {
        const text = fold(`${zoneTitle(state)} ${name}`);
        this.#entries.set(name, { state, text, rank: 0 });
        changed = true;
      }
    }
    if (changed) this.#isRanked = false;
    return changed;
  }

  /** Returns the zones that a query has. */
  find({ layer, filter, search }: ZoneQuery): FoundZones {
    if (!this.#isRanked) this.#rank();
    const text = fold(search.trim());
    const counts = { all: 0, busy: 0, stale: 0, unknown: 0 };
    const found: Entry[] = [];
    let hasOthers = false;
    for (const entry of this.#entries.values()) {
      const { state } = entry;
      if (layer !== undefined && state.layer !== layer) {
        hasOthers = true;
        continue;
      }
      for (const name of FILTERS) {
        if (matchesFilter(state, name)) counts[name]++;
      }
      if (matchesFilter(state, filter) && entry.text.includes(text)) {
        found.push(entry);
      }
    }
    found.sort((a, b) =>
      (b.state.percent ?? -1) - (a.state.percent ?? -1) || a.rank - b.rank
    );
    return { states: found.map(({ state }) => state), counts, hasOthers };
  }

  #rank(): void {
    [...this.#entries.values()].sort(({ state: a }, { state: b }) =>
      ORDER.compare(a.title, b.title) || ORDER.compare(a.zone, b.zone)
    ).forEach((entry, rank) => entry.rank = rank);
    this.#isRanked = true;
  }
}

const FILTERS = ["all", "busy", "stale", "unknown"] as const;
