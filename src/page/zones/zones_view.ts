/// <reference lib="dom" />
/**
 * The zones on the page: outlines on the map, the list, and the panel of the
 * selected zone.
 *
 * @module
 */

import type { ZonesMessage } from "../../feed/zone_messages.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { announce, byId, setText } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import type { MapPlace } from "../map/map_view.ts";
import type { Colors, Theme } from "../map/palette.ts";
import type { Point } from "../map/regions.ts";
import { type ZoneColors, zoneColorsOf } from "./zone_colors.ts";
import { ZoneLayer } from "./zone_layer.ts";
import { ZoneList } from "./zone_list.ts";
import { ZonePanel } from "./zone_panel.ts";
import { shapeOf, type ZoneShape, ZoneShapes } from "./zone_shapes.ts";
import { ZoneStore } from "./zone_store.ts";
import { NARROW, ZoneTools } from "./zone_tools.ts";
import type { ZonesViewOptions } from "./zones_view_options.ts";
import { findZone, type PastZones } from "./zone_moment.ts";
import {
  describeCount,
  describeZone,
  figuresOf,
  zoneTitle,
} from "./zone_text.ts";

/** Maximum number of zones in the tooltip of a cell. */
const MAX_TOOLTIP_ZONES = 3;

/** Opens the editor. @param name of the zone to edit; undefined: of none */
export type OpenEditor = (name: string | undefined) => void;

/** The zones. */
export class ZonesView {
  readonly store = new ZoneStore();
  readonly layer: ZoneLayer;
  /** Called after the map shows another layer. */
  onShowLayer: (() => void) | undefined;
  /** Called after another zone was selected. */
  onSelect: ((name: string | undefined) => void) | undefined;
  readonly #options: ZonesViewOptions;
  readonly #list: ZoneList;
  readonly #panel: ZonePanel;
  readonly #section = byId("section", "zones-panel");
  readonly #editButton = byId("button", "edit-zones");
  readonly #problem = byId("p", "zones-problem");
  readonly #when = byId("small", "zones-when");
  readonly #tools = new ZoneTools(() => this.#applyTools());
  #colors: ZoneColors;
  #layerName: string | undefined;
  #selected: string | undefined;
  /** Whether the selected zone must be shown as soon as it is known. */
  #mustShow = false;
  #openEditor: OpenEditor | undefined;
  #hidden = false;
  #past: PastZones | undefined;

  constructor(options: ZonesViewOptions) {
    this.#options = options;
    const { map, colors, theme, listOnly } = options;
    this.#colors = zoneColorsOf(colors, theme);
    this.layer = new ZoneLayer(
      map.axes,
      (name) =>
        this.#past?.figures?.(name) ?? figuresOf(this.#states.get(name)),
      this.#colors,
    );
    map.ol.addLayer(this.layer.layer);
    this.#list = new ZoneList({
      unitOf: options.unitOf,
      titleOfLayer: options.titleOfLayer,
      onSelect: (name) => this.selectByUser(name),
      kiosk: listOnly,
      allLayers: options.allLayers,
    });
    this.#panel = new ZonePanel(() => this.#close());
    this.#editButton.append(ICONS.edit(), "Edit zones");
    this.#editButton.addEventListener(
      "click",
      () => this.#openEditor?.(undefined),
    );
    this.store.observe({
      onDefinitions: () => this.#showDefinitions(),
      onStates: (names) => this.#showStates(names),
    });
    this.#showEditButton();
  }

  /** Opens the editor; undefined while there is none: it has no buttons. */
  set openEditor(openEditor: OpenEditor | undefined) {
    this.#openEditor = openEditor;
    this.#showEditButton();
  }

  /** The colours from empty to full; undefined if zones are not filled. */
  get fills(): ZoneColors["fills"] | undefined {
    const { all } = this.layer.shapes;
    return all.length > 0 && this.#tools.filled
      ? this.#colors.fills
      : undefined;
  }

  /** Whether the map shows no outlines, as while they are edited. */
  set hidden(hidden: boolean) {
    this.#hidden = hidden;
    this.#applyTools();
  }

  /** The name of the selected zone. */
  get selected(): string | undefined {
    return this.#selected;
  }

  /**
   * The zones as they were, which are shown instead of the live ones; undefined:
   * the live ones. To show other states of the same, call
   * {@linkcode ZonesView.refreshPast}.
   */
  set past(past: PastZones | undefined) {
    this.#past = past;
    this.#showWhen();
    this.#applyColors();
    this.#applyTools();
    this.#list.update(this.#states, undefined);
    this.layer.redrawStates();
    this.#showEditButton();
  }

  /**
   * Shows changed states of {@linkcode ZonesView.past}.
   *
   * @param names of the zones that have changed
   */
  refreshPast(when: string, names: ReadonlySet<string>): void {
    if (this.#past === undefined) return;
    this.#past = { ...this.#past, when };
    this.#showWhen();
    if (names.size === 0) return;
    this.#list.update(this.#states, names);
    this.layer.redrawStates();
  }

  get #states(): ReadonlyMap<string, ZoneState> {
    return this.#past?.states ?? this.store.states;
  }

  #showWhen(): void {
    const when = this.#past?.when;
    setText(
      this.#when,
      `${when === undefined ? "" : `${when}, `}fullest first`,
    );
  }

  /** Handles the states of the live feed. */
  onZones(message: ZonesMessage): void {
    this.store.onZones(message);
  }

  /** Shows the zones of a layer on the map. */
  showLayer(name: string): void {
    this.#layerName = name;
    this.#list.layer = name;
    this.#showShapes();
    this.onShowLayer?.();
  }

  /** Draws in other colours. */
  recolor(colors: Colors, theme: Theme): void {
    this.#colors = zoneColorsOf(colors, theme);
    this.#applyColors();
  }

  #applyColors(): void {
    const fills = this.#past?.fills;
    this.layer.tinted = fills === undefined;
    this.layer.colors = fills ? { ...this.#colors, fills } : this.#colors;
  }

  /**
   * Selects a zone; undefined: none.
   *
   * @param show whether to show it on the map, as soon as it is known
   */
  select(name: string | undefined, show: boolean): void {
    this.#selected = name;
    this.#mustShow = show && name !== undefined;
    this.layer.selected = name;
    this.#list.selected = name;
    this.#showSelected();
    this.updatePanel();
    this.onSelect?.(name);
  }

  /** Selects a zone, shows it, and makes that an entry of the history. */
  selectByUser(name: string | undefined): void {
    const select = () => this.select(name, true);
    if (name === this.#selected) select();
    else this.#options.change(select);
    const state = this.#states.get(name ?? "");
    if (state === undefined) return;
    announce(describeZone(state, this.#options.unitOf(state.layer)));
    if (matchMedia(NARROW).matches) {
      byId("div", "map").parentElement!.scrollIntoView({ block: "start" });
    }
  }

  /**
   * Handles a click on the map. The first click on a zone selects it, further
   * ones are for its cells.
   *
   * @returns whether a zone was selected
   */
  click({ cell, pixel }: MapPlace): boolean {
    const name = this.layer.labelAt(pixel) ?? this.#zonesAt(cell)[0]?.name;
    if (name === undefined || name === this.#selected) return false;
    this.#options.change(() => this.select(name, false));
    const state = this.#states.get(name);
    if (state) announce(describeZone(state, this.#options.unitOf(state.layer)));
    return true;
  }

  /** Marks the zone under the pointer; undefined: the pointer has left. */
  hover(at: MapPlace | undefined): void {
    const name = at &&
      (this.layer.labelAt(at.pixel) ?? this.#zonesAt(at.cell)[0]?.name);
    this.layer.hovered = name;
  }

  /** Returns the zones of a cell for its tooltip, one a line. */
  linesAt({ x, y }: Point): string[] {
    return this.#zonesAt({ x, y }).slice(0, MAX_TOOLTIP_ZONES).map(
      ({ name, title }) => {
        const state = this.#states.get(name);
        const unit = this.#options.unitOf(this.#layerName ?? "");
        return `${zoneTitle({ title })} · ${describeCount(state, unit)}`;
      },
    );
  }

  /**
   * Shows the zone with a name, or with a title that starts with a text.
   *
   * @returns false if there is none
   */
  goTo(text: string): boolean {
    const name = findZone(this.store.states, text);
    if (name !== undefined) this.selectByUser(name);
    return name !== undefined;
  }

  /** Fits the list to its present size. */
  resize(): void {
    this.#list.resize();
  }

  /** Moves the focus to the list. */
  focus(): void {
    this.#list.focus();
  }

  /** Clears the selection. @returns false if no zone was selected */
  escape(): boolean {
    if (this.#selected === undefined) return false;
    this.#close();
    return true;
  }

  /** Shows the durations and what belongs to the selected zone's layer. */
  updatePanel(): void {
    const name = this.#selected;
    const { titleOfLayer, unitOf, access, now } = this.#options;
    if (name === undefined) return this.#panel.update(undefined);
    const state = this.store.states.get(name);
    const { zones } = this.store.definitions;
    const layer = state?.layer ?? zones.get(name)?.layer;
    const isKnown = state !== undefined || zones.has(name);
    this.#panel.update({
      name,
      state,
      missing: !isKnown && this.store.isLoaded,
      layerTitle: layer === undefined ? "" : titleOfLayer(layer),
      unit: layer === undefined ? undefined : unitOf(layer),
      access: access(),
      now: now(),
    });
  }

  #applyTools(): void {
    this.layer.layer.setVisible(this.#tools.shown && !this.#hidden);
    const filled = this.#past?.filled;
    this.layer.filled = filled ?? this.#tools.fillPressed;
    this.#tools.canFill = filled === undefined;
    this.#options.onLook();
  }

  #zonesAt({ x, y }: Point): ZoneShape[] {
    if (!this.layer.layer.getVisible()) return [];
    return this.layer.shapes.withCell(x, y);
  }

  #close(): void {
    const hadFocus = byId("section", "zone").contains(document.activeElement);
    this.selectByUser(undefined);
    if (hadFocus) this.#list.focusStop();
  }

  #showDefinitions(): void {
    const { problem } = this.store;
    this.#problem.hidden = problem === undefined;
    setText(
      this.#problem,
      `Outlines may be out of date. ${problem ?? ""}. The page tries again.`,
    );
    this.#showShapes();
    this.#showSelected();
    this.updatePanel();
  }

  #showStates(names: ReadonlySet<string> | undefined): void {
    if (this.#past === undefined) {
      this.#list.update(this.store.states, names);
      this.layer.redrawStates();
    }
    this.#showEditButton();
    this.#section.hidden = this.#list.size === 0 && this.#editButton.hidden;
    document.body.classList.toggle("zoned", !this.#section.hidden);
    if (this.#mustShow) this.#showSelected();
    const selected = this.#selected;
    if (selected === undefined || names?.has(selected) === false) return;
    this.updatePanel();
  }

  #showShapes(): void {
    const { zones } = this.store.definitions;
    this.layer.shapes = new ZoneShapes(
      [...zones.values()].filter(({ layer }) => layer === this.#layerName),
    );
    this.#options.map.zones = this.layer.shapes.edges;
    this.#tools.hasZones = this.layer.shapes.all.length > 0;
    this.#applyTools();
  }

  /** Shows the layer and the place of the selected zone, once it is known. */
  #showSelected(): void {
    const name = this.#selected;
    const definition = name === undefined
      ? undefined
      : this.store.definitions.zones.get(name);
    if (!this.#mustShow || definition === undefined) return;
    this.#mustShow = false;
    this.#options.showLayer(definition.layer);
    const { box } = shapeOf(definition);
    // Some of its surroundings, to see where it is.
    const marginX = (box[2] - box[0]) / 4;
    const marginY = (box[3] - box[1]) / 4;
    this.#options.map.moves.showEdges([
      box[0] - marginX,
      box[1] - marginY,
      box[2] + marginX,
      box[3] + marginY,
    ]);
  }

  #showEditButton(): void {
    // Zones of a file too: the editor says how to change them.
    const canEdit = this.#openEditor !== undefined &&
      this.#past === undefined &&
      this.store.file !== undefined;
    this.#editButton.hidden = !canEdit;
    this.#panel.onEdit = canEdit
      ? () => this.#openEditor?.(this.#selected)
      : undefined;
  }
}
