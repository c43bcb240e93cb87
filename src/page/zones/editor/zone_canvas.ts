/// <reference lib="dom" />
/**
 * The zones on the map while they are edited: OpenLayers' interactions Select,
 * Translate, Modify, Draw and Snap. It shows a draft and reports what the
 * person does; it never changes the draft.
 *
 * @module
 */

import Collection from "ol/Collection.js";
import { click, primaryAction } from "ol/events/condition.js";
import type Feature from "ol/Feature.js";
import type Interaction from "ol/interaction/Interaction.js";
import Modify from "ol/interaction/Modify.js";
import Select from "ol/interaction/Select.js";
import Translate from "ol/interaction/Translate.js";
import Layer from "ol/layer/Layer.js";
import type OlMap from "ol/Map.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import type { Axes } from "../../map/axes.ts";
import type { Position } from "../../../zones/zone.ts";
import { middlesOf, readColors } from "./canvas_styles.ts";
import type { CanvasEvents, CanvasMap, Tool } from "./canvas_events.ts";
import { CellSnap, type SnapTarget } from "./cell_snap.ts";
import type { ZoneDraft } from "./draft.ts";
import {
  closeRing,
  type CornerPath,
  nearestCorner,
  rectangleOf,
  withoutIdleCorner,
} from "./shapes.ts";
import { ShapeDrawing } from "./shape_drawing.ts";
import { SnapGuides } from "./snap_guides.ts";
import { snapToCells } from "./snapping.ts";
import {
  type CanvasView,
  polygonsOf,
  ZoneFeatures,
  ZONES_Z_INDEX,
} from "./zone_features.ts";

/** Distance at which a pointer grabs a corner, CSS pixels. */
const MOUSE_TOLERANCE_PX = 10;
/** Half of 44 px, the size of a target for fingers (WCAG 2.5.5). */
const TOUCH_TOLERANCE_PX = 22;
const SNAP_TOLERANCE_PX = 10;

/** The zones of a draft on the map. */
export class ZoneCanvas {
  readonly #map: OlMap;
  readonly #axes: Axes;
  readonly #events: CanvasEvents;
  readonly #tolerance: number;
  readonly #zones: ZoneFeatures;
  /** Without it, OpenLayers would draw the zones on the canvas of the cells. */
  readonly #separator = new Layer({
    render: () => this.#separatorElement,
    zIndex: ZONES_Z_INDEX,
  });
  readonly #separatorElement = document.createElement("div");
  readonly #guides: SnapGuides;
  /** The selected zone, for the interactions. */
  readonly #selected = new Collection<Feature>();
  readonly #select: Select;
  readonly #modify: Modify;
  readonly #translate: Translate;
  readonly #drawing: ShapeDrawing;
  readonly #snap: CellSnap;
  readonly #interactions: readonly Interaction[];
  #tool: Tool = "select";
  #isReadOnly = false;
  #colors = readColors();
  #view: CanvasView | undefined;
  /** Whether two fingers were on the map during a move of a zone. */
  #isPinch = false;

  constructor({ ol: map, axes }: CanvasMap, events: CanvasEvents) {
    this.#map = map;
    this.#axes = axes;
    this.#events = events;
    const isTouch = matchMedia("(pointer: coarse)").matches;
    this.#tolerance = isTouch ? TOUCH_TOLERANCE_PX : MOUSE_TOLERANCE_PX;
    this.#zones = new ZoneFeatures(axes, this.#colors, isTouch);
    this.#select = new Select({
      layers: [this.#zones.layer],
      features: this.#selected,
      style: null,
      // A click on a handle beside its zone must not select another one.
      condition: (event) => click(event) && !this.#handleAt(event),
    });
    this.#select.on("select", ({ selected: [feature] }) => {
      events.onSelect(feature && this.#zones.keyOf(feature));
    });
    this.#translate = this.#createTranslate();
    this.#modify = this.#createModify();
    this.#snap = new CellSnap(
      this.#zones.neighbours,
      SNAP_TOLERANCE_PX,
      (target) => this.#showSnap(target),
    );
    // The last receives events first.
    this.#interactions = [
      this.#select,
      this.#translate,
      this.#modify,
    ];
    map.addLayer(this.#separator);
    map.addLayer(this.#zones.layer);
    this.#guides = new SnapGuides(map);
    for (const one of this.#interactions) map.addInteraction(one);
    this.#drawing = new ShapeDrawing({
      map,
      tolerance: this.#tolerance,
      snapped: (coordinate) => this.#snapped(coordinate),
      onShape: (corners) => this.#finishShape(corners),
    });
    map.on("click", this.#onClick);
    map.getViewport()!.addEventListener("pointerup", this.#onPointerUp);
    this.recolor();
    this.tool = "select";
  }

  /** Shows a draft. */
  show(view: CanvasView): void {
    this.#view = view;
    this.#zones.show(view, this.#tool === "select");
    const feature = this.#zones.find(view.selected);
    if (this.#selected.item(0) === feature) return;
    this.#selected.clear();
    if (feature) this.#selected.push(feature);
  }

  /** Reads the colours again, after the theme has changed. */
  recolor(): void {
    this.#colors = readColors();
    this.#zones.colors = this.#colors;
    this.#guides.colors = this.#colors;
    if (this.#tool !== "select") this.tool = this.#tool;
    if (this.#view) this.show(this.#view);
  }

  get tool(): Tool {
    return this.#tool;
  }

  /** Changes the tool; what is being drawn is discarded. */
  set tool(tool: Tool) {
    this.#tool = tool;
    const selects = tool === "select";
    if (selects) this.#drawing.stop();
    else this.#drawing.start(tool !== "polygon", this.#colors);
    // It must receive events first.
    this.#map.removeInteraction(this.#snap);
    this.#map.addInteraction(this.#snap);
    this.#snap.isDrawing = !selects;
    this.#hideSnap();
    this.#map.getTargetElement()!.classList.toggle("drawing", !selects);
    this.#activate();
    if (this.#view) this.#zones.show(this.#view, selects);
  }

  /** Whether zones can only be selected. */
  set isReadOnly(isReadOnly: boolean) {
    if (isReadOnly === this.#isReadOnly) return;
    this.#isReadOnly = isReadOnly;
    if (isReadOnly) this.tool = "select";
    else this.#activate();
  }

  #activate(): void {
    const selects = this.#tool === "select";
    this.#select.setActive(selects);
    this.#translate.setActive(selects && !this.#isReadOnly);
    this.#modify.setActive(selects && !this.#isReadOnly);
  }

  /** Whether positions snap to cells and to other zones. */
  set snaps(snaps: boolean) {
    this.#snap.snaps = snaps;
  }

  /** Whether a shape was begun. */
  get isDrawing(): boolean {
    return this.#drawing.isDrawing;
  }

  /** Ends the polygon that is being drawn. */
  finishDrawing(): void {
    this.#drawing.finish();
  }

  /** Discards what is being drawn. */
  abortDrawing(): void {
    this.#drawing.abort();
    this.#hideSnap();
  }

  /** Removes the last corner of what is being drawn. */
  removeLastPoint(): void {
    this.#drawing.removeLastPoint();
  }

  /** Removes all from the map. */
  dispose(): void {
    this.tool = "select";
    for (const one of this.#interactions) this.#map.removeInteraction(one);
    this.#map.removeInteraction(this.#snap);
    this.#drawing.dispose();
    this.#map.un("click", this.#onClick);
    this.#map.getViewport()!.removeEventListener(
      "pointerup",
      this.#onPointerUp,
    );
    this.#map.removeLayer(this.#separator);
    this.#map.removeLayer(this.#zones.layer);
    this.#guides.dispose();
    this.#map.getViewport()!.classList.remove("ol-grab", "ol-grabbing");
  }

  #createTranslate(): Translate {
    const translate = new Translate({
      features: this.#selected,
      layers: [this.#zones.layer],
      condition: (event) => {
        if (!primaryAction(event)) return false;
        // Both ends are snapped: the zone moves by whole cells.
        event.coordinate = this.#snapped(event.coordinate);
        this.#isPinch = false;
        return true;
      },
    });
    translate.on("translatestart", () => {
      this.#snap.isDragging = true;
      this.#snap.snapsToZones = false;
    });
    translate.on("translating", ({ mapBrowserEvent }) => {
      if ((mapBrowserEvent.activePointers?.length ?? 0) > 1) {
        this.#isPinch = true;
      }
    });
    translate.on("translateend", ({ features }) => {
      this.#snap.snapsToZones = true;
      this.#hideSnap();
      const feature = features.item(0);
      if (this.#isPinch || !feature) return this.#restore();
      this.#reshape(feature, "Move zone", undefined);
    });
    return translate;
  }

  #createModify(): Modify {
    const modify = new Modify({
      features: this.#selected,
      pixelTolerance: this.#tolerance,
      snapToPointer: true,
      condition: (event) => {
        if (!primaryAction(event)) return false;
        const grabs = this.#handleAt(event) !== undefined ||
          this.#isAtMiddle(event);
        if (grabs) this.#snap.isDragging = true;
        return grabs;
      },
      // Corners are added at the handles in the middle of edges.
      insertVertexCondition: (event) => this.#isAtMiddle(event),
      style: [],
    });
    modify.on("modifyend", ({ features, mapBrowserEvent }) => {
      this.#hideSnap();
      const feature = features.item(0);
      if (feature) {
        this.#reshape(feature, "Move corner", mapBrowserEvent!.coordinate);
      }
    });
    return modify;
  }

  /** @param corners all, or two opposite ones of a rectangle */
  #finishShape(corners: readonly number[][]): void {
    this.#hideSnap();
    const positions = corners.map((at) => this.#toCells(at));
    const ring = positions.length === 2
      ? rectangleOf(positions[0]!, positions[1]!)
      : closeRing(positions);
    const tool = this.#tool;
    // After the interaction has ended its work with this event.
    queueMicrotask(() => this.#events.onDraw(ring, tool));
  }

  /** Reports the new shape of a zone, then shows what the draft says. */
  #reshape(
    feature: Feature,
    label: string,
    at: number[] | undefined,
  ): void {
    const zone = this.#selectedZone();
    if (zone === undefined) return;
    const after = polygonsOf(feature, this.#axes);
    const polygons = withoutIdleCorner(zone.polygons, after);
    const isSame = JSON.stringify(polygons) === JSON.stringify(zone.polygons);
    const corner = at && nearestCorner(polygons, this.#toCells(at))?.path;
    this.#zones.invalidate(zone.key);
    if (!isSame) return this.#events.onReshape(polygons, label, corner);
    this.#restore();
    if (corner) this.#events.onCorner(corner);
  }

  /** Shows the draft instead of what was dragged. */
  #restore(): void {
    const zone = this.#selectedZone();
    if (zone) this.#zones.invalidate(zone.key);
    if (this.#view) this.show(this.#view);
  }

  readonly #onClick = (event: MapBrowserEvent): void => {
    if (this.#tool !== "select") return;
    const path = this.#handleAt(event);
    if (path) this.#events.onCorner(path);
  };

  /** A drag has ended, also one that changed nothing. */
  readonly #onPointerUp = (): void => {
    this.#snap.isDragging = false;
    if (this.#tool === "select") this.#hideSnap();
  };

  /** The corner of the selected zone whose handle is at a position. */
  #handleAt({ coordinate }: MapBrowserEvent): CornerPath | undefined {
    const zone = this.#selectedZone();
    if (zone === undefined) return undefined;
    const nearest = nearestCorner(zone.polygons, this.#toCells(coordinate));
    return nearest && this.#isNear(nearest.distance) ? nearest.path : undefined;
  }

  #isAtMiddle({ coordinate }: MapBrowserEvent): boolean {
    const [x, y] = coordinate as [number, number];
    const feature = this.#selected.item(0);
    return feature !== undefined &&
      middlesOf(feature).some(([mx, my]) =>
        this.#isNear(Math.hypot(mx! - x, my! - y))
      );
  }

  #isNear(cells: number): boolean {
    return cells / this.#map.getView().getResolution()! <= this.#tolerance;
  }

  #selectedZone(): ZoneDraft | undefined {
    const { zones, selected } = this.#view ?? {};
    return zones?.find(({ key }) => key === selected);
  }

  #snapped(coordinate: number[]): number[] {
    const at = coordinate as unknown as Position;
    return [...snapToCells(at, this.#snap.snaps)];
  }

  #toCells([x, y]: number[] | readonly number[]): Position {
    return [x!, this.#axes.turn(y!)];
  }

  #showSnap(target: SnapTarget | undefined): void {
    this.#guides.show(target?.at);
    const [left, top] = target
      ? this.#map.getPixelFromCoordinate([...target.at])
      : [];
    this.#events.onSnap(
      target && {
        at: this.#toCells(target.at),
        pixel: [left!, top!],
        zone: target.feature && this.#zones.keyOf(target.feature),
        kind: target.kind,
      },
    );
  }

  #hideSnap(): void {
    this.#showSnap(undefined);
  }
}
