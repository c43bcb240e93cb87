/** Zones whose states a test sets, as the feed uses them. */
import type { FeedZones } from "../../../src/http/feed/zone_feed.ts";
import type { Zone, ZoneObserver, ZoneState } from "../../../src/zones/mod.ts";

export class FakeZones implements FeedZones {
  file: string | undefined;
  version = "0";
  definitions: ReadonlyMap<string, Zone> = new Map();
  readonly #states = new Map<string, ZoneState>();
  readonly #observers = new Set<ZoneObserver>();

  state(name: string): ZoneState | undefined {
    return this.#states.get(name);
  }

  get states(): ReadonlyMap<string, ZoneState> {
    return this.#states;
  }

  observe(observer: ZoneObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Replaces the definitions; their states follow with {@linkcode set}. */
  define(names: readonly string[]): void {
    this.version = String(Number(this.version) + 1);
    this.definitions = new Map(names.map((name) => [name, zoneOf(name)]));
    for (const { onDefinitions } of this.#observers) onDefinitions?.();
    const removed = [...this.#states.keys()].filter((name) =>
      !this.definitions.has(name)
    );
    for (const name of removed) this.#states.delete(name);
    for (const { onUpdate } of this.#observers) {
      onUpdate?.({ changes: [], removed });
    }
  }

  /** Sets the counts of zones that are defined. */
  set(counts: Iterable<readonly [name: string, count: number]>): void {
    const changes = [...counts].filter(([name]) => this.definitions.has(name))
      .map(([name, count]) => {
        const state = stateOf(name, count);
        this.#states.set(name, state);
        return { zone: name, state, events: [], record: undefined };
      });
    for (const { onUpdate } of this.#observers) {
      onUpdate?.({ changes, removed: [] });
    }
  }
}

function zoneOf(name: string): Zone {
  return {
    ...{ name, layer: "default", title: undefined, capacity: undefined },
    ...{ occupiedWhen: { cells: 1 }, clearAfter: 0, staleAfter: undefined },
    polygons: [],
  };
}

function stateOf(zone: string, count: number): ZoneState {
  return {
    ...{ zone, title: zone, layer: "default", occupied: count > 0, count },
    ...{ certain: true, capacity: undefined, percent: count, cells: 100 },
    ...{ occupiedCells: count, staleCells: 0, unknownCells: 0 },
    ...{ since: 0, time: 0, revision: 1 },
  };
}
