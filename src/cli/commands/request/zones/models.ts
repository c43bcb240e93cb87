/**
 * Watched zones in a live view: one in detail, or all in a table.
 *
 * @module
 */
import type { ZoneWatchEvent } from "../../../../request/mod.ts";
import type { ZoneEvent, ZoneState } from "../../../../zones/mod.ts";
import {
  BOLD,
  Canvas,
  DIM,
  formatCount,
  type Span,
  wrapItems,
} from "../../../terminal/map/mod.ts";
import { zoneDetails } from "../../../terminal/zone_details.ts";
import {
  compareFullest,
  compareNames,
  widestOf,
  zoneRows,
  zoneStatus,
} from "../../../terminal/zone_rows.ts";
import type { KeyMeaning } from "../live/key_help.ts";
import type { Key } from "../live/keyboard.ts";
import type { Frame, LiveModel } from "../live/live_view.ts";
import { SCROLL_KEYS, Scroller } from "../live/scroller.ts";
import { firstOf } from "../live/select.ts";
import { tableFoot } from "../live/table_foot.ts";

/** Maximum rows to scroll through. */
const MAX_ROWS = 1000;
const GAP_COLUMNS = 2;
/** Events in the view of one zone. */
const MAX_EVENTS = 8;
/** Columns of the longest name of an event. */
const EVENT_COLUMNS = "available".length;

/** The states that a live view shows, and the server's clock. */
class Zones {
  readonly states = new Map<string, ZoneState>();
  readonly #now: () => number;
  /** The server's clock minus the local one. */
  #offset = -Infinity;

  /** @param now a clock that never jumps, in ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The time by the server's clock, ms since 1970: the local one may differ. */
  get time(): number {
    return this.#now() + this.#offset;
  }

  apply(event: Exclude<ZoneWatchEvent, { kind: "event" }>): void {
    const { kind, zones } = event;
    if (kind === "snapshot") {
      this.states.clear();
      this.#offset = event.time - this.#now();
    } else for (const name of event.removed) this.states.delete(name);
    for (const state of zones) {
      this.states.set(state.zone, state);
      this.#offset = Math.max(this.#offset, state.time - this.#now());
    }
  }
}

/** One zone in detail, with its last events. */
export class ZoneModel implements LiveModel<ZoneWatchEvent> {
  readonly hasAges = true;
  readonly keys: readonly KeyMeaning[] = [];
  readonly #name: string;
  readonly #zones: Zones;
  /** The latest first. */
  readonly #events: ZoneEvent[] = [];

  /**
   * @param name of the zone
   * @param now a clock that never jumps, in ms
   */
  constructor(name: string, now: () => number = () => performance.now()) {
    this.#name = name;
    this.#zones = new Zones(now);
  }

  apply(event: ZoneWatchEvent): void {
    if (event.kind === "event") {
      this.#events.unshift(event.event);
      this.#events.splice(MAX_EVENTS);
    } else this.#zones.apply(event);
  }

  draw({ width, height, notice }: Frame): Canvas {
    const { time, states } = this.#zones;
    const state = states.get(this.#name);
    const lines: (readonly Span[])[] = state === undefined
      ? [[[this.#name, BOLD]], [["The zone was removed"]]]
      : zoneDetails(state, { time, width });
    const foot: Span[] = notice === undefined
      ? [["q quit · ? keys", DIM]]
      : [[notice, BOLD]];
    const room = height - lines.length - 2;
    if (this.#events.length > 0 && room > 0) {
      const events = this.#events.slice(0, room);
      lines.push([], ...events.map((event) => [eventLine(event)]));
    }
    return drawn(lines, [foot], { width, height });
  }

  press(): boolean {
    return false;
  }
}

/** Compares two states; negative if `a` comes first. */
type Order = (a: ZoneState, b: ZoneState) => number;

/** The orders that the key `s` selects one after the other. */
const ORDERS: readonly (readonly [name: string, order: Order])[] = [
  ["fullest", compareFullest],
  ["name", compareNames],
  ["newest", (a, b) => b.since - a.since || compareNames(a, b)],
];

/** All zones as a table, which can be sorted and scrolled. */
export class ZonesModel implements LiveModel<ZoneWatchEvent> {
  readonly hasAges = true;
  readonly keys: readonly KeyMeaning[] = [
    ["s", "change the order"],
    ...SCROLL_KEYS,
  ];
  readonly #zones: Zones;
  readonly #scroller = new Scroller(MAX_ROWS);
  #order = 0;
  #widest = widestOf([]);

  /** @param now a clock that never jumps, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#zones = new Zones(now);
  }

  apply(event: ZoneWatchEvent): void {
    if (event.kind === "event") return;
    this.#zones.apply(event);
    const own = widestOf(event.zones);
    if (event.kind === "snapshot") this.#widest = own;
    // The columns do not jump when a zone is removed.
    for (const key of ["zone", "title", "layer"] as const) {
      this.#widest[key] = Math.max(this.#widest[key], own[key]);
    }
  }

  draw({ width, height, notice }: Frame): Canvas {
    const { time } = this.#zones;
    const states = [...this.#zones.states.values()];
    const [orderName, order] = ORDERS[this.#order]!;
    const head = wrapItems(summaryOf(states), width, GAP_COLUMNS);
    const foot = (from: number, to: number) =>
      tableFoot(from, to, {
        rows: states.length,
        empty: "There are no zones",
        ...{ orderName, notice, width },
      });
    const most = Math.min(MAX_ROWS, states.length);
    const footRows = foot(most, most).length;
    const visible = height - head.length - 1 - footRows;
    const { top, end } = this.#scroller.fit(states.length, visible);
    const shown = firstOf(
      states.length,
      end,
      (a, b) => order(states[a]!, states[b]!),
    ).slice(top).map((i) => states[i]!);
    const rows = zoneRows(shown, { time, width, widest: this.#widest });
    return drawn([...head, ...rows], foot(Math.min(top + 1, end), end), {
      width,
      height,
    });
  }

  press(key: Key): boolean {
    if (key !== "s") return this.#scroller.press(key);
    this.#order = (this.#order + 1) % ORDERS.length;
    this.#scroller.reset();
    return true;
  }
}

/** Such as `3 zones`, `2 occupied`, `1 free`. */
function summaryOf(states: readonly ZoneState[]): Span[][] {
  const counts = { full: 0, occupied: 0, free: 0, unknown: 0 };
  for (const state of states) counts[zoneStatus(state)]++;
  const { full, free, unknown } = counts;
  const occupied = full + counts.occupied;
  return [
    [[
      `${formatCount(states.length)} zone${states.length === 1 ? "" : "s"}`,
      BOLD,
    ]],
    [[formatCount(occupied), BOLD], [" occupied"]],
    ...(full > 0 ? [[[`${formatCount(full)} full`]] as Span[]] : []),
    [[`${formatCount(free)} free`]],
    ...(unknown > 0 ? [[[`${formatCount(unknown)} unknown`]] as Span[]] : []),
  ];
}

/** Such as `12:00:05 UTC  occupied   4/20`. */
function eventLine({ time, event, count, capacity }: ZoneEvent): Span {
  const clock = new Date(time).toISOString().slice(11, 19);
  const of = capacity === undefined ? "" : `/${capacity}`;
  return [`${clock} UTC  ${event.padEnd(EVENT_COLUMNS)}  ${count}${of}`, DIM];
}

/** Draws lines, and others at the end of the screen. */
function drawn(
  lines: readonly (readonly Span[])[],
  foot: readonly (readonly Span[])[],
  { width, height }: { readonly width: number; readonly height: number },
): Canvas {
  const canvas = new Canvas(width, height);
  const room = Math.max(0, height - foot.length);
  lines.slice(0, room).forEach((line, row) => canvas.write(0, row, line));
  foot.forEach((line, i) => canvas.write(0, room + i, line));
  return canvas;
}
