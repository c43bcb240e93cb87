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
  StatusMessage,
} from "../feed/messages.ts";
import type { ZonesMessage } from "../feed/zone_messages.ts";
import type { Unit } from "../protocol/display.ts";
import { Controls } from "./controls/controls.ts";
import { Explorer } from "./controls/explorer.ts";
import { MapLook } from "./controls/map_look.ts";
import { Preferences } from "./controls/preferences.ts";
import { Printing } from "./controls/printing.ts";
import {
  parseAddress,
  ViewHash,
  type ViewState,
} from "./controls/view_hash.ts";
import type { Access } from "./elements/commands.ts";
import { announce, byId, focusWhileScrollable } from "./elements/dom.ts";
import type { LiveClient } from "./feed/client.ts";
import type { LiveEvents } from "./feed/connection.ts";
import { MapView } from "./map/map_view.ts";
import { colorsOf } from "./map/palette.ts";
import type { Point } from "./map/regions.ts";
import { ConnectionPanel } from "./panels/connection.ts";
import { CurrentLayer } from "./panels/current_layer.ts";
import { createModeSwitch, type ModeSwitch } from "./mode_switch.ts";
import { LayerPanels } from "./panels/layer_panels.ts";
import { PageTitle } from "./panels/page_title.ts";
import { ShownCells } from "./shown_cells.ts";
import { EditorOpener } from "./zones/editor_opener.ts";
import { ZonesView } from "./zones/zones_view.ts";

const TICK_MS = 1000;
/** What a zone counts if the values of its layer are only 0 and 1. */
const OCCUPIED_CELLS: Unit = ["occupied cell", "occupied cells"];

/** The part of the live feed that the app uses. */
export type Feed = Pick<LiveClient, "view" | "serverTime">;

/** Options of {@linkcode App}. */
export interface AppOptions {
  /** Opens the live feed with the given callbacks. */
  connect(events: LiveEvents): Feed;
  /** Whether only the list of zones is shown, on the whole window. */
  readonly zonesOnly: boolean;
}

/** The dashboard. */
export class App implements LiveEvents {
  readonly #feed: Feed;
  readonly #map: MapView;
  readonly #cells: ShownCells;
  readonly #panels: LayerPanels;
  readonly #title = new PageTitle();
  readonly #connection = new ConnectionPanel(this.#title);
  readonly #preferences: Preferences;
  readonly #explorer: Explorer;
  readonly #look: MapLook;
  readonly #hash: ViewHash;
  readonly #zones: ZonesView;
  readonly #zonesOnly: boolean;
  readonly #modes: ModeSwitch;
  readonly #layer = new CurrentLayer();
  #staleAfter: number | null = null;
  #access: Access | undefined;

  constructor({ connect, zonesOnly }: AppOptions) {
    const view = parseAddress(location);
    this.#zonesOnly = zonesOnly;
    this.#preferences = new Preferences(view, () => this.#recolor());
    this.#map = new MapView(
      byId("div", "map"),
      {
        tools: byId("div", "tools"),
        foot: byId("div", "foot"),
        head: byId("div", "mode-head"),
      },
      this.#colors(),
      {
        onMoveEnd: () => {
          this.#requestView();
          this.#cells.checkLost();
          this.#hash.scheduleWrite();
        },
        onRender: () => {
          this.#explorer.followMap();
          this.#look.showScale();
        },
        onHover: (at) => {
          this.#explorer.hover(at?.cell);
          this.#zones.hover(at);
        },
        onClick: (at) => {
          const isForCell = this.#modes.mode?.onClick?.(at) === true;
          if (isForCell || !this.#zones.click(at)) {
            this.#explorer.click(at.cell);
          }
        },
        onBox: (box) => this.#hash.change(() => this.#explorer.select(box)),
      },
      !matchMedia("(prefers-reduced-motion: reduce)").matches,
    );
    this.#cells = new ShownCells({
      map: this.#map,
      layer: this.#layer,
      requestView: (layer, region) => this.#feed.view(layer, region),
      onChange: () => this.#explorer.refresh(),
    });
    this.#panels = new LayerPanels(this.#title, {
      onSelectLayer: (name) => this.#selectLayer(name),
      onSelectCell: (x, y) => this.#goTo({ x, y }),
    });
    this.#hash = new ViewHash(
      () => this.#viewState(),
      (other) => this.#applyView(other),
    );
    this.#zones = new ZonesView({
      map: this.#map,
      colors: this.#colors(),
      theme: this.#preferences.theme,
      listOnly: zonesOnly,
      allLayers: zonesOnly && view.layer === undefined,
      showLayer: (name) => this.#showLayer(name),
      titleOfLayer: (name) => this.#layer.titleOf(name),
      unitOf: (name) =>
        this.#panels.unitOf(this.#layer.of(name), name) ?? OCCUPIED_CELLS,
      access: () => this.#access,
      now: () => this.#now(),
      onLook: () => this.#look.showLegend(),
      change: (apply) => this.#hash.change(apply),
    });
    this.#explorer = new Explorer({
      map: this.#map,
      layer: () => ({ ...this.#layer.shown, access: this.#access }),
      hasLoaded: (region) => this.#cells.hasLoaded(region),
      now: () => this.#cells.time ?? this.#now(),
      isPast: () => this.#cells.time !== undefined,
      textOf: (cell) => this.#cells.textOf?.(cell),
      zonesAt: (cell) => this.#zones.linesAt(cell),
      clearZone: () => this.#zones.escape(),
      onSelect: () => this.#hash.scheduleWrite(),
      change: (apply) => this.#hash.change(apply),
    });
    const later = () => import("./later.ts");
    new EditorOpener(
      this.#map,
      this.#zones,
      this.#layer,
      this.#preferences,
      later,
    );
    this.#modes = this.#createModes(later);
    const controls = new Controls({
      explorer: this.#explorer,
      map: this.#map,
      preferences: this.#preferences,
      goTo: (cell) => this.#goTo(cell),
      goToZone: (text) => this.#zones.goTo(text),
      focusZones: () => this.#zones.focus(),
      fit: () => this.#map.moves.showAll(),
      focusLayers: () => this.#panels.focusMenu(),
      onModeKey: (event) => this.#modes.mode?.onKey(event) === true,
      onPlanToggle: () => this.#look.showPlan(),
    });
    this.#look = new MapLook({
      map: this.#map,
      zones: this.#zones,
      controls,
      colors: () => this.#colors(),
      layer: () => this.#layer.name,
      unit: () =>
        this.#panels.unitOf(this.#layer.own, this.#layer.nameOrDefault),
    });
    new Printing(this.#map, this.#zones, this.#preferences);
    focusWhileScrollable([
      byId("section", "cards"),
      byId("aside", "side"),
    ]);
    this.#feed = connect(this);
    this.#recolor();
    this.#applyView(view);
    this.#tick();
    setInterval(() => this.#tick(), TICK_MS);
  }

  /** @inheritdoc */
  onHello({ staleAfter, clients }: HelloMessage): void {
    this.#connection.onHello();
    this.#staleAfter = staleAfter;
    this.#access = { ...clients, pageHost: location.hostname };
    this.#look.onHello(staleAfter);
    this.#tick();
  }

  /** @inheritdoc */
  onStatus(status: StatusMessage): void {
    this.#connection.onStatus(status);
    this.#layer.status = status;
    if (this.#layer.name === undefined) {
      this.#layer.name = this.#layer.first;
      this.#zones.showLayer(this.#layer.name);
      this.#hash.scheduleWrite();
    }
    this.#cells.frame();
    this.#requestView();
    const layer = this.#layer.own;
    if (layer) this.#panels.addPoint(layer, status.time);
    this.#look.loadPlans();
    this.#showStatus();
  }

  /** @inheritdoc */
  onLatest(message: LatestMessage): void {
    if (message.layer !== this.#layer.name) return;
    this.#panels.showLatest(message, this.#layer.shown.unit, this.#now());
  }

  /** @inheritdoc */
  onHistory(message: HistoryMessage): void {
    if (message.layer !== this.#layer.name) return;
    this.#panels.showHistory(message, this.#now());
  }

  /** @inheritdoc */
  async onFrame(frame: Frame): Promise<void> {
    if (frame.layer !== this.#layer.name) return;
    this.#connection.onFrame();
    await this.#cells.push(frame);
  }

  /** @inheritdoc */
  onZones(message: ZonesMessage): void {
    this.#connection.onFrame();
    this.#zones.onZones(message);
  }

  /** @inheritdoc */
  onLag(ms: number): void {
    this.#connection.onLag(ms);
  }

  /** @inheritdoc */
  onLost(reason: string): void {
    this.#connection.onLost(reason);
  }

  /** @inheritdoc */
  onRefused(message: CloseMessage): void {
    this.#connection.onRefused(message);
  }

  #createModes(later: () => Promise<typeof import("./later.ts")>): ModeSwitch {
    this.#zones.onSelect = (name) => this.#modes.mode?.onZone(name);
    return createModeSwitch({
      cells: this.#cells,
      map: this.#map,
      zones: this.#zones,
      layer: () => this.#modeLayer(),
      now: () => Math.floor(this.#now()), // times in requests are whole
      colors: () => this.#colors(),
      hash: () => this.#hash,
    }, later);
  }

  #modeLayer() {
    const { name, title } = this.#layer.shown;
    const { own } = this.#layer;
    return { name, title, own, unit: this.#panels.unitOf(own, name) };
  }

  #now(): number {
    return this.#feed.serverTime();
  }

  #colors() {
    const { palette, theme } = this.#preferences;
    return colorsOf(palette, theme);
  }

  /** Switches to a layer that the user selected. */
  #selectLayer(name: string): void {
    if (name === this.#layer.name) return;
    this.#hash.change(() => this.#showLayer(name));
    announce(`Layer ${this.#layer.shown.title}`);
  }

  #showLayer(name: string): void {
    if (name === this.#layer.name) return;
    this.#switchLayer(name);
    this.#requestView();
    this.#showStatus();
  }

  /** Removes all that belongs to the previous layer. */
  #switchLayer(name: string): void {
    this.#layer.name = name;
    this.#modes.mode?.onLayer();
    this.#cells.clear();
    this.#panels.clear(this.#now());
    this.#explorer.reset();
    this.#resetMap();
    this.#zones.showLayer(name);
  }

  /** Makes the map follow the layer, as if the user had not moved it. */
  #resetMap(): void {
    this.#map.reset();
    this.#look.showPlan();
    this.#cells.frame();
  }

  #requestView(): void {
    if (!this.#zonesOnly) this.#cells.request();
  }

  /** Shows a cell that the user selected. */
  #goTo(cell: Point): void {
    this.#hash.change(() => {
      this.#map.moves.goTo(cell);
      this.#explorer.pin(cell);
    });
  }

  #recolor(): void {
    this.#look.recolor();
    this.#panels.recolor();
    this.#zones.recolor(this.#colors(), this.#preferences.theme);
    this.#modes.mode?.recolor();
    this.#hash.scheduleWrite();
  }

  /** Updates ages and durations, which change without messages. */
  #tick(): void {
    this.#connection.tick();
    this.#zones.updatePanel();
    this.#panels.tick(this.#now());
    this.#modes.mode?.onTick();
    this.#explorer.refresh();
    this.#cells.checkLost();
  }

  #showStatus(): void {
    this.#panels.update({
      name: this.#layer.shown.name,
      status: this.#layer.status,
      staleAfter: this.#staleAfter,
      access: this.#access,
      now: this.#now(),
    });
    this.#look.showLegend();
  }

  /** Applies the view of an address. */
  #applyView(view: ViewState): void {
    this.#preferences.apply(view);
    if (view.layer !== undefined && view.layer !== this.#layer.name) {
      this.#switchLayer(view.layer);
    }
    if (view.center && view.scale !== undefined) {
      this.#map.moves.jumpTo({ center: view.center, scale: view.scale });
    } else if (!this.#map.following) this.#resetMap();
    this.#explorer.select(view.box);
    this.#zones.select(view.zone, view.center === undefined);
    this.#modes.apply(view);
    this.#requestView();
  }

  /** Returns the view for the address. */
  #viewState(): ViewState {
    const { selection } = this.#explorer;
    const zone = this.#zones.selected;
    return {
      ...(this.#layer.name === undefined ? {} : { layer: this.#layer.name }),
      // While the view follows the layer, a link does so too on any screen.
      ...(this.#map.following ? {} : this.#map.camera),
      ...this.#preferences.viewState,
      ...(selection ? { box: selection } : {}),
      ...this.#modes.view,
      ...(zone === undefined ? {} : { zone }),
    };
  }
}
