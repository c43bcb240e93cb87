/** States of zones for tests. */
import type { ZoneEvent, ZoneState } from "../../src/zones/mod.ts";

const NOW = 1_760_000_000_000;

/** Returns a state with defaults. */
export function stateOf(
  zone: string,
  rest: Partial<ZoneState> = {},
): ZoneState {
  return {
    ...{ zone, title: zone, layer: "default", occupied: true, count: 4 },
    ...{ certain: true, capacity: 20, percent: 20, cells: 40 },
    ...{ occupiedCells: 3, staleCells: 0, unknownCells: 0 },
    ...{ since: NOW - 60_000, time: NOW, revision: 9 },
    ...rest,
  };
}

/** Returns an event with defaults. */
export function eventOf(
  zone: string,
  rest: Partial<ZoneEvent> = {},
): ZoneEvent {
  return {
    ...{ zone, title: zone, layer: "default", event: "occupied", count: 4 },
    ...{ capacity: 20, time: NOW, revision: 9 },
    ...rest,
  };
}
