/// <reference lib="dom" />
/**
 * The map, the totals and the zones of a layer at a time of the past.
 *
 * @module
 */

import type { CellCounts } from "../../grid/cell_counter.ts";
import type { GapMs } from "../../history/answers.ts";
import type { Region } from "../../protocol/region.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import type { ModeHost } from "../modes/mode.ts";
import type { ZoneShapes } from "../zones/zone_shapes.ts";
import type { PastMoment } from "./past_changes.ts";
import { PastHours } from "./past_hours.ts";
import type { MapProblem } from "./past_header.ts";
import { PastMapState } from "./past_map.ts";
import { ZoneTallies } from "./zone_tallies.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** With fewer changes in an hour, those of the hour before are listed too. */
const FEW_CHANGES = 30;
/** The count is compared with that of this time before, ms. */
const TREND_MS = 5 * MINUTE_MS;
/** What the page shows of a time. */
export class PastScene {
  readonly #host: ModeHost;
  readonly #bounds: () => readonly [oldest: number, newest: number];
  readonly #onLoad: () => void;
  #map = new PastMapState();
  #hours: PastHours | undefined;
  #zones: ZoneTallies | undefined;
  #shapes: ZoneShapes | undefined;
  #problem: MapProblem | undefined = { kind: "loading" };
  #gap: GapMs | undefined;
  /** The time that is waited for; undefined: none. */
  #wanted: number | undefined;

  /**
   * @param bounds returns the first and the last time that can be shown, ms
   * @param onLoad called after more was loaded
   */
  constructor(
    host: ModeHost,
    bounds: () => readonly [oldest: number, newest: number],
    onLoad: () => void,
  ) {
    this.#host = host;
    this.#bounds = bounds;
    this.#onLoad = onLoad;
  }

  /** Why the map is not that of the time; undefined if it is. */
  get problem(): MapProblem | undefined {
    return this.#problem;
  }

  /** The gap in which the time is; undefined: it was recorded. */
  get gap(): GapMs | undefined {
    return this.#problem === undefined ? this.#gap : undefined;
  }

  /** The totals; undefined if nothing is known of the time. */
  get counts(): CellCounts | undefined {
    return this.#isKnown ? this.#map.counts : undefined;
  }

  /** While a time is loaded, the map stays as it was, but fades. */
  get #isKnown(): boolean {
    return this.#problem?.kind !== "failed" && this.#gap === undefined &&
      this.#map.hour !== undefined;
  }

  get bounds(): Region | undefined {
    return this.#map.cells.bounds;
  }

  /** Begins with a layer. */
  open(layer: string): void {
    this.#hours?.close();
    this.#hours = new PastHours(layer, this.#bounds, () => this.#onHour());
    this.#map = new PastMapState();
    this.#zones = this.#shapes = undefined;
    this.#host.zones.past = { states: new Map(), when: "" };
    this.#host.pastCells = this.#map.cells;
  }

  /**
   * Shows a time.
   *
   * @param ms within the bounds
   * @param ahead hours that are needed soon after it
   * @returns false if it is not loaded yet; then it is shown when it is
   */
  show(ms: number, ahead = 0): boolean {
    const hour = this.#hours?.at(ms);
    // The trend and the latest changes may need the hour before.
    const isBeside = ahead === 0 && hour !== undefined &&
      (ms - TREND_MS < hour.from || hour.countUntil(ms) < FEW_CHANGES);
    this.#hours?.prefetch(
      isBeside ? hour.from - 1 : ms,
      ms + ahead * HOUR_MS,
    );
    if (hour === undefined) {
      this.#wanted = ms;
      const text = this.#hours?.problemAt(ms);
      this.#problem = text === undefined
        ? { kind: "loading" }
        : { kind: "failed", text };
      return false;
    }
    this.#wanted = undefined;
    this.#problem = undefined;
    const { version } = this.#map.cells;
    const replaced = this.#map.show(hour, ms);
    this.#gap = hour.gapAt(ms);
    const host = this.#host;
    host.pastTime = ms;
    host.pastCells = this.#map.cells;
    this.followZones(ms, replaced);
    if (replaced || version !== this.#map.cells.version) host.refresh();
    return true;
  }

  /**
   * Takes other outlines of zones, if there are any.
   *
   * @param anew whether the cells were replaced
   */
  followZones(ms: number, anew = false): void {
    const { zones } = this.#host;
    const { shapes } = zones.layer;
    if (shapes === this.#shapes && !anew) return;
    this.#shapes = shapes;
    const { table } = this.#map.cells;
    const tallies = new ZoneTallies(
      shapes.all,
      zones.store.definitions.zones,
      table,
    );
    this.#zones = this.#map.zones = tallies;
    tallies.isKnown = this.#isKnown;
    tallies.update(ms);
    zones.past = { states: tallies.states, when: "" };
  }

  /** Shows the zones. @param when for the title of the list */
  showZones(when: string, ms: number): void {
    const tallies = this.#zones;
    if (tallies === undefined) return;
    tallies.isKnown = this.#isKnown;
    this.#host.zones.refreshPast(when, tallies.update(ms));
  }

  /** Returns the state of a zone. */
  zoneState(name: string): ZoneState | undefined {
    return this.#zones?.states.get(name);
  }

  /** Returns how the count differs from that five minutes before. */
  trend(ms: number): number | undefined {
    const before = this.#hours?.loaded(ms - TREND_MS)?.sumAt(ms - TREND_MS);
    const { counts } = this;
    return before === undefined || counts === undefined
      ? undefined
      : counts.people - before;
  }

  /** Returns where the map is in its hour. */
  moment(ms: number): PastMoment {
    const isKnown = this.#problem?.kind !== "failed";
    return {
      hour: isKnown ? this.#map.hour : undefined,
      applied: isKnown ? this.#map.applied : 0,
      before: isKnown ? this.#hours?.loaded(ms - HOUR_MS) : undefined,
    };
  }

  /** Loads again what could not be loaded. */
  retry(): void {
    this.#hours?.retry();
  }

  /** Shows the live map again. */
  close(): void {
    this.#hours?.close();
    this.#host.pastTime = undefined;
    this.#host.pastCells = undefined;
    this.#host.zones.past = undefined;
  }

  #onHour(): void {
    if (this.#wanted !== undefined) this.show(this.#wanted);
    this.#onLoad();
  }
}
