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
import Feature from "ol/Feature.js";
import LineString from "ol/geom/LineString.js";
import type Polygon from "ol/geom/Polygon.js";
import DragBox from "ol/interaction/DragBox.js";
import Draw, { createBox } from "ol/interaction/Draw.js";
import type Interaction from "ol/interaction/Interaction.js";
import Modify from "ol/interaction/Modify.js";
import Select from "ol/interaction/Select.js";
import Translate from "ol/interaction/Translate.js";
import VectorLayer from "ol/layer/Vector.js";
import type OlMap from "ol/Map.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import VectorSource from "ol/source/Vector.js";
import type { Axes } from "../../map/axes.ts";
import type { Polygon as Rings, Position, Ring } from "../../../zones/zone.ts";
import { guideStyle, readColors, sketchStyles } from "./canvas_styles.ts";
import { CellSnap, type SnapTarget } from "./cell_snap.ts";
import type { ZoneDraft } from "./draft.ts";
import {
  closeRing,
  type CornerPath,
  nearestCorner,
  rectangleOf,
  withoutIdleCorner,
} from "./shapes.ts";
import { snapToCells } from "./snapping.ts";
import { type CanvasView, polygonsOf, ZoneFeatures } from "./zone_features.ts";

/** What a press on the map does. */
export type Tool = "select" | "rectangle" | "polygon" | "hole";

/** A position that was snapped, for people. */
export interface SnapInfo {
  readonly at: Position;
  /** CSS pixels in the map. */
  readonly pixel: readonly [left: number, top: number];
  /** The zone to which it was snapped. */
  readonly zone: string | undefined;
  readonly kind: SnapTarget["kind"];
}

/** Callbacks of {@linkcode ZoneCanvas}. */
export interface CanvasEvents {
  /** Called when a zone was clicked, or none. */
  onSelect(key: string | undefined): void;
  /** Called when a corner of the selected zone was clicked. */
  onCorner(path: CornerPath): void;
  /** Called when the selected zone was moved or reshaped. */
  onReshape(
    polygons: readonly Rings[],
    label: string,
    corner: CornerPath | undefined,
  ): void;
  /** Called when a shape was drawn with a tool. */
  onDraw(ring: Ring, tool: Tool): void;
  /** Called while a position is drawn or moved; undefined when that ends. */
  onSnap(info: SnapInfo | undefined): void;
}

/** The map as the canvas needs it. */
export interface CanvasMap {
  readonly map: OlMap;
  readonly axes: Axes;
}

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
  readonly #guides = new VectorSource();
  readonly #guideLayer = new VectorLayer({ source: this.#guides, zIndex: 20 });
  /** The selected zone, for the interactions. */
  readonly #selected = new Collection<Feature>();
  readonly #select: Select;
  readonly #modify: Modify;
  readonly #translate: Translate;
  readonly #box: DragBox;
  readonly #snap: CellSnap;
  readonly #interactions: Interaction[];
  #draw: Draw | undefined;
  #tool: Tool = "select";
  #colors = readColors();
  #view: CanvasView | undefined;
  /** Whether two fingers were on the map during a move of a zone. */
  #isPinch = false;

  constructor({ map, axes }: CanvasMap, events: CanvasEvents) {
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
    this.#box = this.#createBox();
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
      this.#box,
      this.#snap,
    ];
    map.addLayer(this.#zones.layer);
    map.addLayer(this.#guideLayer);
    for (const one of this.#interactions) map.addInteraction(one);
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
    this.#guideLayer.setStyle(guideStyle(this.#colors));
    if (this.#tool !== "select") this.tool = this.#tool;
    if (this.#view) this.show(this.#view);
  }

  get tool(): Tool {
    return this.#tool;
  }

  /** Changes the tool; what is being drawn is discarded. */
  set tool(tool: Tool) {
    this.#tool = tool;
    if (this.#draw) this.#map.removeInteraction(this.#draw);
    this.#draw = undefined;
    const selects = tool === "select";
    this.#select.setActive(selects);
    this.#translate.setActive(selects);
    this.#modify.setActive(selects);
    this.#snap.isDrawing = !selects;
    this.#hideSnap();
    this.#map.getTargetElement()!.classList.toggle("drawing", !selects);
    if (!selects) this.#draw = this.#startDraw(tool);
    if (this.#view) this.#zones.show(this.#view, selects);
  }

  /** Whether positions snap to cells and to other zones. */
  set snaps(snaps: boolean) {
    this.#snap.snaps = snaps;
  }

  /** Whether a shape was begun. */
  get isDrawing(): boolean {
    const sketch = this.#draw?.getOverlay().getSource()?.getFeatures() ?? [];
    return sketch.some((one) => one.getGeometry()?.getType() === "Polygon");
  }

  /** Ends the polygon that is being drawn. */
  finishDrawing(): void {
    this.#draw?.finishDrawing();
  }

  /** Discards what is being drawn. */
  abortDrawing(): void {
    this.#draw?.abortDrawing();
    this.#hideSnap();
  }

  /** Removes the last corner of what is being drawn. */
  removeLastPoint(): void {
    this.#draw?.removeLastPoint();
  }

  /** Removes all from the map. */
  dispose(): void {
    this.tool = "select";
    for (const one of this.#interactions) this.#map.removeInteraction(one);
    this.#map.un("click", this.#onClick);
    this.#map.getViewport()!.removeEventListener(
      "pointerup",
      this.#onPointerUp,
    );
    this.#map.removeLayer(this.#zones.layer);
    this.#map.removeLayer(this.#guideLayer);
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

  /** Draws a rectangle by dragging a mouse; others tap two corners. */
  #createBox(): DragBox {
    const box = new DragBox({
      className: "drag-box",
      condition: (event) => {
        const { originalEvent } = event;
        return (this.#tool === "rectangle" || this.#tool === "hole") &&
          originalEvent instanceof PointerEvent &&
          originalEvent.pointerType === "mouse" && primaryAction(event) &&
          !this.isDrawing;
      },
    });
    box.on("boxend", () => {
      const [x0, y0, x1, y1] = box.getGeometry().getExtent();
      this.abortDrawing();
      this.#finishShape(
        [[x0!, y0!], [x1!, y1!]].map((at) => this.#toCells(this.#snapped(at))),
      );
    });
    return box;
  }

  #startDraw(tool: Tool): Draw {
    const draw = new Draw({
      ...(tool === "polygon"
        ? { type: "Polygon" as const }
        : { type: "Circle" as const, geometryFunction: createBox() }),
      style: sketchStyles(this.#colors),
      condition: primaryAction,
      stopClick: true,
      snapTolerance: this.#tolerance,
    });
    draw.on("drawend", ({ feature }) => {
      const [ring] = (feature.getGeometry() as Polygon).getCoordinates();
      this.#finishShape(ring!.map((at) => this.#toCells(at)));
    });
    this.#map.addInteraction(draw);
    // It must receive events first.
    this.#map.removeInteraction(this.#snap);
    this.#map.addInteraction(this.#snap);
    return draw;
  }

  /** @param positions the corners, or two opposite ones of a rectangle */
  #finishShape(positions: readonly Position[]): void {
    this.#hideSnap();
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
    return this.#zones.middles.some(([mx, my]) =>
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
    this.#guides.clear();
    if (target === undefined) return this.#events.onSnap(undefined);
    const [x, y] = target.at;
    const [x0, y0, x1, y1] = this.#map.getView().calculateExtent() as [
      number,
      number,
      number,
      number,
    ];
    this.#guides.addFeatures([
      new Feature(new LineString([[x, y0], [x, y1]])),
      new Feature(new LineString([[x0, y], [x1, y]])),
    ]);
    const [left, top] = this.#map.getPixelFromCoordinate([x, y]);
    this.#events.onSnap({
      at: this.#toCells(target.at),
      pixel: [left!, top!],
      zone: target.feature && this.#zones.keyOf(target.feature),
      kind: target.kind,
    });
  }

  #hideSnap(): void {
    this.#showSnap(undefined);
  }
}
