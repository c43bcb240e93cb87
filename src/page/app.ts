/// <reference lib="dom" />
/**
 * The page: what comes from the server goes to the parts that show it, and what
 * a person does goes to those that act on it.
 *
 * @module
 */

import type { Region } from "../grid/mod.ts";
import { announce } from "./elements/announcer.ts";
import { Cards } from "./panels/cards.ts";
import { CellInbox } from "./map/cell_loader.ts";
import { Chart } from "./panels/chart.ts";
import { Controls } from "./controls/controls.ts";
import { byId } from "./elements/dom.ts";
import { EmptyNotice } from "./panels/empty_notice.ts";
import { Explorer } from "./controls/explorer.ts";
import { findCell } from "./feed/requests.ts";
import { Health } from "./panels/connection_state.ts";
import { History } from "./panels/history.ts";
import { LatestPanel } from "./panels/latest_panel.ts";
import { LayersPanel, titleOf } from "./panels/layers_panel.ts";
import { showLegend, showScale } from "./panels/legend.ts";
import { MapView } from "./map/map_view.ts";
import { colorsOf, css } from "./map/palette.ts";
import { Pill } from "./panels/connection_pill.ts";
import { Plans } from "./map/plans.ts";
import { watchScrollers } from "./elements/scrollers.ts";
import { contains, widened } from "./map/regions.ts";
import type { LiveClient, LiveEvents } from "./feed/client.ts";
import type { Frame } from "../feed/frames.ts";
import type {
  CloseMessage,
  HelloMessage,
  HistoryMessage,
  LatestMessage,
  LayerStatus,
  StatusMessage,
} from "../feed/messages.ts";
import { formatHash, parseHash, type ViewState } from "./controls/view_hash.ts";

/** The layer of readings that name none. */
const DEFAULT_LAYER = "default";
/** A layer of more cells than this is asked for only where one looks. */
const WHOLE_LAYER = 3_000_000;
const TICK_MS = 1000;
const HASH_MS = 250;
const STILL = "(prefers-reduced-motion: reduce)";

/** What the page needs of its connection to the server. */
export type Link = Pick<LiveClient, "view" | "serverTime">;

/** All of the page. */
export class App implements LiveEvents {
  readonly #link: Link;
  readonly #map: MapView;
  readonly #controls: Controls;
  readonly #cards = new Cards();
  readonly #layers: LayersPanel;
  readonly #latest: LatestPanel;
  readonly #chart = new Chart();
  readonly #empty = new EmptyNotice();
  readonly #explorer: Explorer;
  readonly #inbox: CellInbox;
  readonly #health = new Health();
  readonly #pill = new Pill();
  readonly #plans: Plans;
  #history = new History();
  #layer: string | undefined;
  #status: StatusMessage | undefined;
  #staleAfter: number | null = null;
  /** What is looked at is to be found first: nobody has said where. */
  #unplaced = true;
  #asked: Region | null = null;
  #askedFor: string | undefined;
  #hashTimer: ReturnType<typeof setTimeout> | undefined;
  #hash = "";

  /** @param connect Opens the connection whose events are given */
  constructor(connect: (events: LiveEvents) => Link) {
    const view = parseHash(location.hash);
    this.#explorer = new Explorer({
      map: () => this.#map,
      layer: () => this.#named(),
      knows: (region) => this.#inbox.knows(region),
      now: () => this.#now(),
      find: findCell,
      selected: () => this.#rememberView(),
    });
    this.#controls = new Controls(view, {
      colors: () => this.#recolor(),
      goTo: (x, y) => this.#goTo(x, y),
      layer: () => this.#layers.focus(),
      explorer: this.#explorer,
      map: () => this.#map,
      fit: () => this.#fit(true),
      plan: (on) => this.#showPlan(on),
    });
    this.#map = new MapView(
      byId("div", "map"),
      this.#colors(),
      {
        settled: () => this.#settled(),
        drawn: () => this.#drawn(),
        hovered: (cell) => this.#explorer.hover(cell),
        clicked: (cell) => this.#explorer.click(cell),
        boxed: (region) => this.#explorer.select(region),
      },
      matchMedia(STILL).matches,
    );
    this.#inbox = new CellInbox(
      (world) => {
        this.#map.cells.show(world);
        this.#changed();
      },
      () => this.#changed(),
    );
    this.#layers = new LayersPanel((name) => this.#choose(name));
    this.#latest = new LatestPanel((x, y) => this.#goTo(x, y));
    this.#plans = new Plans(() => this.#showPlan(this.#controls.planShown));
    watchScrollers([
      byId("section", "cards"),
      byId("aside", "side"),
      byId("section", "latest-panel"),
    ]);
    this.#link = connect(this);
    this.#recolor();
    this.#applyView(view);
    this.#tick();
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.#hash) {
        this.#applyView(parseHash(location.hash));
      }
    });
  }

  /** @inheritdoc */
  hello({ staleAfter }: HelloMessage): void {
    this.#health.hello(Date.now());
    this.#plans.forget();
    this.#staleAfter = staleAfter;
    showLegend(this.#colors(), staleAfter);
    this.#tick();
  }

  /** @inheritdoc */
  status(status: StatusMessage): void {
    this.#health.status(status, Date.now());
    this.#status = status;
    this.#layer ??= this.#firstLayer(status.layers);
    this.#ask();
    const layer = this.#current();
    if (layer) {
      const { people, occupied } = layer;
      this.#history.add({ time: status.time, people, occupied });
    }
    this.#plans.look();
    this.#showStatus();
  }

  /** @inheritdoc */
  latest({ layer, changes }: LatestMessage): void {
    if (layer !== this.#layer) return;
    this.#latest.update(changes, this.#now());
  }

  /** @inheritdoc */
  history({ layer, points }: HistoryMessage): void {
    if (layer !== this.#layer) return;
    this.#history.fill(points);
    this.#chart.show(this.#history, this.#now());
  }

  /** @inheritdoc */
  async frame(frame: Frame): Promise<void> {
    if (frame.layer !== this.#layer) return;
    this.#health.update(Date.now());
    await this.#inbox.push(frame);
  }

  /** @inheritdoc */
  lag(ms: number): void {
    this.#health.lag(ms);
  }

  /** @inheritdoc */
  lost(): void {
    this.#health.lost();
    this.#tick();
  }

  /** @inheritdoc */
  refused({ message }: CloseMessage): void {
    this.#health.refused(message);
    this.#tick();
  }

  #now(): number {
    return this.#link.serverTime();
  }

  #colors() {
    const { palette, theme } = this.#controls;
    return colorsOf(palette, theme);
  }

  #named(): { name: string; title: string } {
    const name = this.#layer ?? DEFAULT_LAYER;
    const layer = this.#current();
    return { name, title: layer ? titleOf(layer) : name };
  }

  #current(): LayerStatus | undefined {
    return this.#status?.layers.find(({ name }) => name === this.#layer);
  }

  #firstLayer(layers: readonly LayerStatus[]): string {
    const known = layers.find(({ name }) => name === DEFAULT_LAYER) ??
      layers[0];
    return known?.name ?? DEFAULT_LAYER;
  }

  #choose(name: string): void {
    if (name === this.#layer) return;
    this.#layer = name;
    this.#unplaced = true;
    this.#forget();
    this.#ask();
    this.#showStatus();
    announce(`Layer ${this.#named().title}`);
  }

  /** What is shown is of another layer: none of it may stay for a moment. */
  #forget(): void {
    this.#asked = null;
    this.#inbox.clear();
    this.#history = new History();
    this.#latest.clear();
    this.#explorer.reset();
    this.#chart.show(this.#history, this.#now());
    this.#showPlan(this.#controls.planShown);
  }

  /** Asks for the cells that are to be seen, if they are others than before. */
  #ask(): void {
    const name = this.#layer;
    if (name === undefined) return;
    const large = (this.#current()?.cells ?? 0) > WHOLE_LAYER;
    const seen = large && !this.#unplaced ? this.#map.seen : undefined;
    const fits = seen === undefined
      ? this.#asked === null
      : this.#asked !== null && contains(this.#asked, seen);
    if (this.#askedFor === name && fits) return;
    this.#askedFor = name;
    this.#asked = seen ? widened(seen) : null;
    this.#link.view(name, this.#asked);
  }

  #changed(): void {
    this.#map.changed();
    this.#explorer.refresh();
    const { world } = this.#map.cells;
    if (this.#unplaced && this.#map.ready && world.table.length > 0) {
      this.#unplaced = false;
      this.#fit(false);
    }
  }

  #fit(moving: boolean): void {
    const bounds = this.#bounds();
    if (bounds) this.#map.fit(bounds, moving);
  }

  /** All of the layer, also where only a part of it has come. */
  #bounds(): Region | undefined {
    const told = this.#current()?.bounds;
    if (!told) return this.#map.cells.world.bounds;
    const [x0, y0, x1, y1] = told;
    return { x0, y0, x1, y1 };
  }

  #goTo(x: number, y: number): void {
    this.#unplaced = false;
    this.#map.goTo(x, y);
    this.#explorer.pin(x, y);
  }

  #showPlan(on: boolean): void {
    const plan = this.#plans.of(this.#layer);
    const image = plan?.image;
    this.#controls.planKnown(image !== undefined);
    this.#map.plan = on ? image : undefined;
    this.#map.cells.paintWith(this.#colors(), on && image !== undefined);
    showScale(this.#map.scale, plan?.metres);
  }

  #recolor(): void {
    const colors = this.#colors();
    document.documentElement.style.setProperty(
      "--occupied",
      css(colors.ramp[3]!),
    );
    this.#showPlan(this.#controls.planShown);
    showLegend(colors, this.#staleAfter);
    this.#chart.recolor();
    this.#rememberView();
  }

  #settled(): void {
    this.#ask();
    this.#rememberView();
  }

  #drawn(): void {
    this.#explorer.follow();
    showScale(this.#map.scale, this.#plans.of(this.#layer)?.metres);
  }

  /** What has to be right also when nothing comes. */
  #tick(): void {
    const now = Date.now();
    this.#pill.update(this.#health.state(now));
    this.#latest.tick(this.#now());
    this.#explorer.refresh();
  }

  #showStatus(): void {
    const layer = this.#current();
    const layers = this.#status?.layers ?? [];
    this.#layers.update(layers, this.#named().name);
    this.#cards.update({
      layer,
      rates: this.#status?.rate,
      staleAfter: this.#staleAfter,
      trend: this.#history.trend(),
    });
    this.#chart.show(this.#history, this.#now());
    this.#empty.update(this.#named().name, (layer?.cells ?? 0) === 0);
    document.title = layer
      ? `${layer.people} · ${titleOf(layer)} · occupancy`
      : "occupancy";
  }

  #applyView(view: ViewState): void {
    this.#controls.apply(view);
    if (view.layer !== undefined && view.layer !== this.#layer) {
      this.#layer = view.layer;
      this.#unplaced = true;
      this.#forget();
    }
    if (view.center && view.scale !== undefined) {
      this.#unplaced = false;
      this.#map.look(view.center, view.scale);
    }
    this.#explorer.select(view.box);
    this.#ask();
  }

  /** Puts the view into the address, a moment after it was last changed. */
  #rememberView(): void {
    clearTimeout(this.#hashTimer);
    this.#hashTimer = setTimeout(() => {
      const { selection } = this.#explorer;
      const placed = !this.#unplaced;
      this.#hash = formatHash({
        ...(this.#layer === undefined ? {} : { layer: this.#layer }),
        ...(placed ? { center: this.#map.center, scale: this.#map.scale } : {}),
        ...this.#controls.chosen,
        ...(selection ? { box: selection } : {}),
      });
      history.replaceState(null, "", `#${this.#hash}`);
    }, HASH_MS);
  }
}
