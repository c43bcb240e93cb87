/// <reference lib="dom" />
/**
 * The mode that shows the map as it was at a time, and replays it.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";
import type { GapMs, HistoryInfo } from "../../history/answers.ts";
import { PEOPLE, type Unit } from "../../protocol/display.ts";
import { announce } from "../elements/dom.ts";
import { formatAge, formatCount } from "../elements/format.ts";
import { fetchHistoryInfo, pastMapPath } from "../feed/history_requests.ts";
import type { ModeHost, ModeParts, PageMode } from "../modes/mode.ts";
import { DayCurves } from "./day_curves.ts";
import {
  formatHistoryParts,
  type HistoryView,
  parseHistoryParts,
} from "./history_parts.ts";
import { keyAction } from "./history_keys.ts";
import { PastCards } from "./past_cards.ts";
import { PastChangesList } from "./past_changes.ts";
import { PastHeader } from "./past_header.ts";
import { PastScene } from "./past_scene.ts";
import { savePicture } from "./picture.ts";
import { Player } from "./player.ts";
import { type SiteDay, SiteTime } from "./site_time.ts";
import type { ExportEntry } from "./time_bar.ts";
import { TimePanel } from "./time_panel.ts";
import { ZoneChart } from "./zone_chart.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The time that is shown first, before the present, ms. */
const FIRST_AGE_MS = HOUR_MS;
/** During a replay the address is written at most this often, ms. */
const WRITE_INTERVAL_MS = 1000;
/** Steps by keys are announced after this time without another, ms. */
const ANNOUNCE_MS = 600;

/** Opens the history. See {@linkcode OpenMode}. */
export async function openHistory(
  host: ModeHost,
  parts: ModeParts,
): Promise<PageMode> {
  const info = await fetchHistoryInfo();
  if (!info.cells) {
    throw new Error(
      "The server keeps no changes of cells, so there is no map at a time. Start it with --history-cells on.",
    );
  }
  if (info.oldest === undefined) {
    throw new Error(
      "Nothing is recorded yet. Try again when the server has received readings.",
    );
  }
  return new HistoryMode(host, info, info.oldest, parts);
}

/** The history, while it is open. */
class HistoryMode implements PageMode {
  readonly #host: ModeHost;
  readonly #info: HistoryInfo;
  /** The first recorded second, ms. */
  readonly #oldest: number;
  readonly #site: SiteTime;
  readonly #player: Player;
  readonly #scene: PastScene;
  readonly #header: PastHeader;
  readonly #cards = new PastCards();
  readonly #changes: PastChangesList;
  readonly #chart: ZoneChart;
  readonly #foot: TimePanel;
  #curves: DayCurves;
  #view: HistoryView;
  #writtenAt = 0;
  #announceTimer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the past has values above 1, which the present may not have. */
  #isCounted = false;
  #isClosed = false;

  constructor(
    host: ModeHost,
    info: HistoryInfo,
    oldest: number,
    parts: ModeParts,
  ) {
    this.#host = host;
    this.#info = info;
    this.#oldest = Math.ceil(oldest / SECOND_MS) * SECOND_MS;
    this.#site = new SiteTime(info.timezone);
    this.#view = parseHistoryParts(parts);
    this.#scene = new PastScene(host, () => this.#bounds(), () => this.#show());
    this.#player = new Player(this.#firstTime(), {
      bounds: () => this.#bounds(),
      show: (ms) => this.#scene.show(ms, this.#hoursAhead),
      onChange: () => this.#show(),
    });
    this.#player.speed = this.#view.speed;
    const { slots } = host;
    this.#header = new PastHeader(slots, () => host.goLive(), () => {
      this.#scene.retry();
      this.#player.seek(this.#player.time);
    });
    this.#changes = new PastChangesList((cell) =>
      host.change(() => host.map.moves.goTo(cell))
    );
    this.#chart = new ZoneChart(this.#site, {
      onClose: () => host.zones.selectByUser(undefined),
      onRange: (range) => this.#change({ range }),
      end: () => this.#bounds()[1],
    });
    this.#foot = new TimePanel(this.#site, info.problem, {
      onSeek: (ms) => this.#player.seek(ms),
      onDays: (days) => this.#goToDay(this.#day.number + days),
      onDate: (date) => this.#goToDay(this.#site.parseDate(date)),
      onStep: (minutes) => this.#step(minutes),
      onPlay: () => this.#toggle(),
      onSpeed: (speed) => {
        this.#player.speed = speed;
        this.#change({ speed });
      },
      onCompare: (compare) => this.#change({ compare }),
      exports: () => this.#exports(),
    });
    slots.cards.append(this.#cards.element);
    this.#cards.placed();
    slots.side.append(this.#chart.element);
    slots.sideEnd.append(this.#changes.element);
    slots.foot.append(this.#foot.element);
    this.#curves = this.#createCurves();
    this.#scene.open(host.layer().name);
    this.#player.seek(this.#player.time);
  }

  /** @inheritdoc */
  get parts(): ModeParts {
    return formatHistoryParts({ ...this.#view, time: this.#player.time });
  }

  /** @inheritdoc */
  apply(parts: ModeParts): void {
    this.#view = parseHistoryParts(parts);
    this.#player.pause();
    this.#player.speed = this.#view.speed;
    this.#player.seek(this.#firstTime());
  }

  /** @inheritdoc */
  onLayer(): void {
    this.#isCounted = false;
    this.#curves.close();
    this.#curves = this.#createCurves();
    this.#scene.open(this.#host.layer().name);
    this.#player.seek(this.#player.time);
  }

  /** @inheritdoc */
  onZone(): void {
    this.#show();
  }

  /** @inheritdoc */
  onTick(): void {
    this.#scene.followZones(this.#player.time);
    this.#show();
  }

  /** @inheritdoc */
  recolor(): void {
    this.#foot.recolor();
    this.#chart.recolor();
  }

  /** @inheritdoc */
  onKey(event: KeyboardEvent): boolean {
    const action = keyAction(event);
    if (action === undefined) return false;
    if (action.kind === "live") this.#host.goLive();
    else if (action.kind === "play") this.#toggle();
    else if (action.kind === "step") this.#step(action.minutes);
    else {
      const { from, to } = this.#day;
      this.#player.seek(action.kind === "start" ? from : to - SECOND_MS);
      this.#announce();
    }
    return true;
  }

  /** @inheritdoc */
  close(): void {
    this.#isClosed = true;
    this.#player.pause();
    clearTimeout(this.#announceTimer);
    this.#curves.close();
    this.#scene.close();
    this.#header.close();
    this.#foot.close();
    this.#chart.close();
  }

  get #day(): SiteDay {
    return this.#site.dayOf(this.#player.time);
  }

  /** The recording is a little behind the present. */
  #bounds(): readonly [oldest: number, newest: number] {
    const now = this.#host.now() - SECOND_MS;
    return [this.#oldest, Math.max(this.#oldest, now)];
  }

  /** During a replay, the hours of about two seconds are loaded ahead. */
  get #hoursAhead(): number {
    return this.#player?.isPlaying ? Math.ceil(2 * this.#view.speed / 3600) : 0;
  }

  #firstTime(): number {
    return this.#view.time ?? this.#host.now() - FIRST_AGE_MS;
  }

  #createCurves(): DayCurves {
    return new DayCurves(
      this.#host.layer().name,
      this.#site,
      () => this.#host.now(),
      () => this.#show(),
    );
  }

  #change(change: Partial<HistoryView>): void {
    this.#host.change(() => {
      this.#view = { ...this.#view, ...change };
      this.#show();
    });
  }

  /** @param number of the day; undefined: the user has typed none */
  #goToDay(number: number | undefined): void {
    if (number === undefined) return;
    const time = this.#site.sameTime(this.#player.time, number);
    this.#host.change(() => this.#player.seek(time));
    this.#announce();
  }

  #step(minutes: number): void {
    this.#player.seek(this.#player.time + minutes * MINUTE_MS);
    this.#announce();
  }

  #toggle(): void {
    if (this.#player.isPlaying) {
      this.#player.pause();
      this.#host.write();
    } else this.#player.play();
  }

  #announce(): void {
    clearTimeout(this.#announceTimer);
    this.#announceTimer = setTimeout(
      () => announce(this.#site.format(this.#player.time)),
      ANNOUNCE_MS,
    );
  }

  /** Shows the present state of all parts. */
  #show(): void {
    if (this.#isClosed || this.#curves === undefined) return;
    const { time } = this.#player;
    const site = this.#site;
    const clock = site.formatClock(time);
    const layer = this.#host.layer();
    const now = this.#host.now();
    const { gap, counts, problem } = this.#scene;
    this.#isCounted ||= counts !== undefined && counts.people > counts.occupied;
    const unit = this.#unit;
    this.#header.show(site.format(time), this.#describeAge(time, now));
    this.#header.problem = gap === undefined
      ? problem
      : { kind: "gap", text: this.#describeGap(gap) };
    this.#scene.showZones(`at ${clock}`, time);
    this.#cards.show({
      counts,
      note: problem?.kind === "loading" ? "loading" : "no data",
      bounds: this.#scene.bounds,
      unit,
      clock,
      trend: this.#scene.trend(time),
      live: unit ? layer.own?.people : layer.own?.occupied,
      now,
    });
    this.#changes.show(this.#scene.moment(time), {
      unit,
      clock,
      clockOf: (ms) => site.formatClock(ms),
    });
    this.#showZone(clock);
    const { isPlaying } = this.#player;
    this.#foot.show({
      ...{ time, isPlaying, curves: this.#curves, bounds: this.#bounds() },
      units: unit?.[1] ?? "occupied cells",
      view: this.#view,
    });
    this.#writeSometimes();
  }

  #showZone(clock: string): void {
    const name = this.#host.zones.selected;
    const { range, compare } = this.#view;
    this.#chart.show(
      name === undefined ? undefined : {
        ...{ name, range, day: this.#day.number },
        compare: compare === undefined
          ? undefined
          : this.#site.parseDate(compare),
      },
    );
    if (name === undefined) return;
    const state = this.#scene.zoneState(name);
    this.#chart.showState(state, this.#unit, clock, this.#player.time);
  }

  /** What the values count; undefined if they are only 0 and 1. */
  get #unit(): Unit | undefined {
    const { unit, own } = this.#host.layer();
    return unit ?? (this.#isCounted ? own?.display?.unit ?? PEOPLE : undefined);
  }

  #describeAge(time: number, now: number): string {
    const days = this.#site.daysBetween(time, now);
    if (days === 1) return "yesterday";
    return days > 1 ? `${formatCount(days)} days ago` : formatAge(now - time);
  }

  #describeGap(gap: GapMs): string {
    const site = this.#site;
    // Of an hour only its part of the gap is known, of a day more.
    const [from, to] =
      this.#curves.of(this.#day)?.gaps.find((one) =>
        one[0] <= gap[0] && one[1] >= gap[1]
      ) ?? gap;
    return `No data from ${site.formatClock(from)} to ${
      site.formatClock(to)
    }: the server was not recording. The map is as it was last known.`;
  }

  #exports(): readonly ExportEntry[] {
    const { name } = this.#host.layer();
    const { time } = this.#player;
    const zone = this.#chart.csv;
    return [
      {
        title: "Map at this time (CSV)",
        target: pastMapPath(name, time),
      },
      {
        title: "Counts of this day (CSV)",
        target: this.#curves.csvOf(this.#day),
      },
      ...(zone !== undefined && this.#host.zones.selected !== undefined
        ? [{ title: "Counts of the zone (CSV)", target: zone }]
        : []),
      { title: "Picture (PNG)", target: () => void this.#savePicture() },
    ];
  }

  async #savePicture(): Promise<void> {
    const { time } = this.#player;
    const { title, name } = this.#host.layer();
    const stamp = new Date(time).toISOString().slice(0, 19).replace(/:/g, "");
    const { gap } = this.#scene;
    try {
      await savePicture({
        map: document.getElementById("map")!,
        curve: this.#foot.canvas,
        title: `${title} · ${this.#site.format(time)}`,
        subtitle: [
          "Not live",
          `times of ${this.#site.timezone}`,
          ...(gap ? [this.#describeGap(gap)] : []),
        ].join(" · "),
        fileName: `${name.replace(/[^\w.-]+/g, "-")}-${stamp}Z.png`,
      });
    } catch (error) {
      announce(`The picture was not saved: ${messageOf(error)}`);
    }
  }

  #writeSometimes(): void {
    const now = performance.now();
    if (this.#player.isPlaying && now - this.#writtenAt < WRITE_INTERVAL_MS) {
      return;
    }
    this.#writtenAt = now;
    this.#host.write();
  }
}
