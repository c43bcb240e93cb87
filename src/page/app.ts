/// <reference lib="dom" />
/**
 * The dashboard: connects the live feed, the map, the panels and the controls.
 *
 * @module
 */

import type { Frame } from "../feed/frames.ts";
import type {
  CloseMessage,
  HelloMessage,
  HistoryMessage,
  LatestMessage,
  LayerStatus,
  StatusMessage,
} from "../feed/messages.ts";
import { Controls } from "./controls/controls.ts";
import { Explorer, type ExplorerOptions } from "./controls/explorer.ts";
import { Preferences } from "./controls/preferences.ts";
import { Printing } from "./controls/printing.ts";
import { parseHash, ViewHash, type ViewState } from "./controls/view_hash.ts";
import type { Access } from "./elements/commands.ts";
import { announce, byId, focusWhileScrollable } from "./elements/dom.ts";
import { reloadPage } from "./elements/reload.ts";
import type { LiveClient } from "./feed/client.ts";
import { type LiveEvents, NO_SERVER } from "./feed/connection.ts";
import { endSentence, explainRefusal } from "./feed/requests.ts";
import { CellLoader } from "./map/cell_loader.ts";
import { FloorPlans } from "./map/floor_plans.ts";
import { MapView } from "./map/map_view.ts";
import { colorsOf, css } from "./map/palette.ts";
import { boundsOf, type Point } from "./map/regions.ts";
import { ViewRequests } from "./map/view_requests.ts";
import { ConnectionPill } from "./panels/connection_pill.ts";
import { ConnectionMonitor } from "./panels/connection_state.ts";
import { LayerPanels } from "./panels/layer_panels.ts";
import { titleOf } from "./panels/layer_list.ts";
import { showLegend, showScale } from "./panels/legend.ts";
import { LostNotice } from "./panels/lost_notice.ts";
import { PageTitle } from "./panels/page_title.ts";

const DEFAULT_LAYER = "default";
const TICK_MS = 1000;
/** A reload gets the page of the server's version, or the login page. */
const NEEDS_RELOAD: readonly string[] = ["other-version", "token-changed"];
const REDUCED_MOTION = "(prefers-reduced-motion: reduce)";

/** The part of the live feed that the app uses. */
export type Feed = Pick<LiveClient, "view" | "serverTime">;

/** The dashboard. */
export class App implements LiveEvents {
  readonly #feed: Feed;
  readonly #requests: ViewRequests;
  readonly #map: MapView;
  readonly #loader: CellLoader;
  readonly #plans: FloorPlans;
  readonly #panels: LayerPanels;
  readonly #monitor = new ConnectionMonitor();
  readonly #title = new PageTitle();
  readonly #pill = new ConnectionPill(this.#title);
  readonly #lost = new LostNotice(() => this.#map.showAll());
  readonly #preferences: Preferences;
  readonly #explorer: Explorer;
  readonly #controls: Controls;
  readonly #hash: ViewHash;
  #layer: string | undefined;
  #status: StatusMessage | undefined;
  #staleAfter: number | null = null;
  #access: Access | undefined;

  /** @param connect opens the live feed with the given callbacks */
  constructor(connect: (events: LiveEvents) => Feed) {
    const view = parseHash(location.hash);
    this.#preferences = new Preferences(view, () => this.#recolor());
    this.#map = new MapView(
      byId("div", "map"),
      { tools: byId("div", "tools"), foot: byId("div", "foot") },
      this.#colors(),
      {
        onMoveEnd: () => {
          this.#requestView();
          this.#checkLost();
          this.#hash.scheduleWrite();
        },
        onRender: () => {
          this.#explorer.followMap();
          this.#showScale();
        },
        onHover: (cell) => this.#explorer.hover(cell),
        onClick: (cell) => this.#explorer.click(cell),
        onBox: (region) =>
          this.#hash.change(() => this.#explorer.select(region)),
      },
      !matchMedia(REDUCED_MOTION).matches,
    );
    this.#loader = new CellLoader(
      (cells) => {
        this.#map.cellLayer.cells = cells;
        this.#onCellsChange();
      },
      () => this.#onCellsChange(),
    );
    this.#plans = new FloorPlans(() => this.#showPlan());
    this.#panels = new LayerPanels(this.#title, {
      onSelectLayer: (name) => this.#selectLayer(name),
      onSelectCell: (x, y) => this.#goTo({ x, y }),
    });
    this.#hash = new ViewHash(
      () => this.#viewState(),
      (other) => this.#applyView(other),
    );
    this.#explorer = new Explorer({
      map: this.#map,
      layer: () => this.#currentLayer(),
      hasLoaded: (region) => this.#loader.hasLoaded(region),
      now: () => this.#now(),
      onSelect: () => this.#hash.scheduleWrite(),
      change: (apply) => this.#hash.change(apply),
    });
    this.#controls = new Controls({
      explorer: this.#explorer,
      map: this.#map,
      preferences: this.#preferences,
      goTo: (cell) => this.#goTo(cell),
      fit: () => this.#map.showAll(),
      focusLayers: () => this.#panels.focusMenu(),
      onPlanToggle: () => this.#showPlan(),
    });
    new Printing(this.#map, this.#preferences);
    focusWhileScrollable([
      byId("section", "cards"),
      byId("aside", "side"),
    ]);
    this.#feed = connect(this);
    this.#requests = new ViewRequests((layer, region) =>
      this.#feed.view(layer, region)
    );
    this.#recolor();
    this.#applyView(view);
    this.#tick();
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** @inheritdoc */
  onHello({ staleAfter, clients }: HelloMessage): void {
    this.#monitor.onHello(Date.now());
    this.#plans.invalidate();
    this.#staleAfter = staleAfter;
    this.#access = { ...clients, pageHost: location.hostname };
    this.#showLegend();
    this.#tick();
  }

  /** @inheritdoc */
  onStatus(status: StatusMessage): void {
    this.#monitor.onStatus(status, Date.now());
    this.#status = status;
    if (this.#layer === undefined) {
      this.#layer = firstLayer(status.layers);
      this.#hash.scheduleWrite();
    }
    this.#frame();
    this.#requestView();
    const layer = this.#layerStatus();
    if (layer) this.#panels.addPoint(layer, status.time);
    this.#plans.load();
    this.#showStatus();
  }

  /** @inheritdoc */
  onLatest(message: LatestMessage): void {
    if (message.layer !== this.#layer) return;
    this.#panels.showLatest(message, this.#currentLayer().unit, this.#now());
  }

  /** @inheritdoc */
  onHistory(message: HistoryMessage): void {
    if (message.layer !== this.#layer) return;
    this.#panels.showHistory(message, this.#now());
  }

  /** @inheritdoc */
  async onFrame(frame: Frame): Promise<void> {
    if (frame.layer !== this.#layer) return;
    this.#monitor.onFrame(Date.now());
    await this.#loader.push(frame);
  }

  /** @inheritdoc */
  onLag(ms: number): void {
    this.#monitor.onLag(ms);
  }

  /** @inheritdoc */
  onLost(reason: string): void {
    this.#monitor.onLost();
    this.#tick();
    void this.#explainLoss(reason);
  }

  /** @inheritdoc */
  onRefused({ code, message }: CloseMessage): void {
    this.#monitor.onRefused(message);
    this.#tick();
    if (NEEDS_RELOAD.includes(code)) reloadPage();
  }

  /** @param reason why the connection ended, as far as the browser knows */
  async #explainLoss(reason: string): Promise<void> {
    const refusal = await explainRefusal();
    const { hasConnected } = this.#monitor;
    // A live connection was possible before: no proxy prevents it.
    const isNews = refusal && !(hasConnected && refusal.passesNoWebSocket);
    if (isNews) this.#monitor.onReason(refusal.text);
    else if (!hasConnected || reason !== NO_SERVER) {
      this.#monitor.onReason(endSentence(reason));
    }
    this.#tick();
  }

  #now(): number {
    return this.#feed.serverTime();
  }

  #colors() {
    const { palette, theme } = this.#preferences;
    return colorsOf(palette, theme);
  }

  #currentLayer(): ReturnType<ExplorerOptions["layer"]> {
    const name = this.#layer ?? DEFAULT_LAYER;
    const layer = this.#layerStatus();
    return {
      name,
      title: layer ? titleOf(layer) : name,
      unit: layer?.display?.unit,
      access: this.#access,
    };
  }

  #layerStatus(): LayerStatus | undefined {
    return this.#status?.layers.find(({ name }) => name === this.#layer);
  }

  /** Switches to a layer that the user selected. */
  #selectLayer(name: string): void {
    if (name === this.#layer) return;
    this.#hash.change(() => this.#switchLayer(name));
    this.#requestView();
    this.#showStatus();
    announce(`Layer ${this.#currentLayer().title}`);
  }

  /** Removes all that belongs to the previous layer. */
  #switchLayer(name: string): void {
    this.#layer = name;
    this.#requests.reset();
    this.#loader.clear();
    this.#panels.clear(this.#now());
    this.#explorer.reset();
    this.#resetMap();
  }

  /** Makes the map follow the layer, as if the user had not moved it. */
  #resetMap(): void {
    this.#map.reset();
    this.#showPlan();
    this.#frame();
  }

  #requestView(): void {
    if (this.#layer === undefined) return;
    const cells = this.#layerStatus()?.cells ?? 0;
    this.#requests.update(
      { name: this.#layer, cells },
      this.#map.framed ? this.#map.visibleRegion : null,
    );
  }

  #onCellsChange(): void {
    this.#map.redraw();
    this.#explorer.refresh();
    // Later changes of the bounds come with the status, once a second.
    if (!this.#map.framed) this.#frame();
    if (this.#lost.shown) this.#checkLost();
  }

  /** Tells the map what there is to show of the layer, and which way y grows. */
  #frame(): void {
    const layer = this.#layerStatus();
    const { bounds: loaded } = this.#map.cellLayer.cells;
    this.#map.yUp = layer?.display?.yUp === true;
    this.#map.cells = boundsOf(layer?.bounds ?? null, loaded);
  }

  /** Says so if the view has neither cells nor floor plan, but the layer does. */
  #checkLost(): void {
    const { cells } = this.#map.cellLayer;
    const isEmpty = cells.bounds === undefined && !this.#map.hasPlan;
    const region = this.#map.visibleRegion;
    this.#lost.show(
      this.#map.framed && !isEmpty && this.#loader.hasLoaded(region) &&
        !this.#map.planVisible && !cells.hasCellIn(region),
    );
  }

  /** Shows a cell that the user selected. */
  #goTo(cell: Point): void {
    this.#hash.change(() => {
      this.#map.goTo(cell);
      this.#explorer.pin(cell);
    });
  }

  /** Shows or hides the floor plan of the layer. */
  #showPlan(): void {
    const image = this.#plans.of(this.#layer)?.image;
    const shown = this.#controls.planOn ? image : undefined;
    this.#controls.hasPlan = image !== undefined;
    this.#map.plan = image;
    this.#map.planShown = this.#controls.planOn;
    this.#map.cellLayer.setColors(this.#colors(), shown !== undefined);
    this.#showScale();
  }

  #showScale(): void {
    showScale(this.#map.scale, this.#plans.of(this.#layer)?.metresPerCell);
  }

  #recolor(): void {
    const colors = this.#colors();
    document.documentElement.style.setProperty(
      "--occupied",
      css(colors.ramp[3]!),
    );
    this.#showPlan();
    this.#showLegend();
    this.#panels.recolor();
    this.#hash.scheduleWrite();
  }

  #showLegend(): void {
    const unit = this.#layer === undefined
      ? undefined
      : this.#panels.unitOf(this.#layerStatus(), this.#layer);
    this.#map.cellLayer.numbered = unit !== undefined;
    showLegend(this.#colors(), { staleAfter: this.#staleAfter, unit });
  }

  /** Updates ages and durations, which change without messages. */
  #tick(): void {
    this.#pill.update(this.#monitor.state(Date.now()));
    this.#panels.tick(this.#now());
    this.#explorer.refresh();
    this.#checkLost();
  }

  #showStatus(): void {
    this.#panels.update({
      name: this.#currentLayer().name,
      status: this.#status,
      staleAfter: this.#staleAfter,
      access: this.#access,
      now: this.#now(),
    });
    this.#showLegend();
  }

  /** Applies the view of an address. */
  #applyView(view: ViewState): void {
    this.#preferences.apply(view);
    if (view.layer !== undefined && view.layer !== this.#layer) {
      this.#switchLayer(view.layer);
    }
    if (view.center && view.scale !== undefined) {
      this.#map.jumpTo({ center: view.center, scale: view.scale });
    } else if (!this.#map.following) this.#resetMap();
    this.#explorer.select(view.box);
    this.#requestView();
  }

  /** Returns the view for the address. */
  #viewState(): ViewState {
    const { selection } = this.#explorer;
    return {
      ...(this.#layer === undefined ? {} : { layer: this.#layer }),
      // While the view follows the layer, a link does so too on any screen.
      ...(this.#map.following ? {} : this.#map.camera),
      ...this.#preferences.viewState,
      ...(selection ? { box: selection } : {}),
    };
  }
}

/** The layer to show if the address names none. */
function firstLayer(layers: readonly LayerStatus[]): string {
  const layer = layers.find(({ name }) => name === DEFAULT_LAYER) ?? layers[0];
  return layer?.name ?? DEFAULT_LAYER;
}
