/**
 * The zones of a draft as features of OpenLayers. A zone whose outline did not
 * change keeps its geometry, so that a draft of many zones is shown fast.
 *
 * @module
 */

import Collection from "ol/Collection.js";
import Feature from "ol/Feature.js";
import MultiPolygon from "ol/geom/MultiPolygon.js";
import VectorLayer from "ol/layer/Vector.js";
import VectorSource from "ol/source/Vector.js";
import type { Axes } from "../../map/axes.ts";
import type { Polygon, Position } from "../../../zones/zone.ts";
import {
  type EditorColors,
  largestFirst,
  type ZoneLook,
  zoneStyles,
} from "./canvas_styles.ts";
import { titleOf, type ZoneDraft } from "./draft.ts";
import { type CornerPath, positionOf } from "./shapes.ts";
import type { ZoneProblem } from "./problems.ts";

/** What the canvas shows. */
export interface CanvasView {
  /** The zones of the layer that the map shows. */
  readonly zones: readonly ZoneDraft[];
  /** The key of the selected zone. */
  readonly selected: string | undefined;
  readonly corner: CornerPath | undefined;
  /** Keys of zones that are not saved. */
  readonly unsaved: ReadonlySet<string>;
  readonly problems: ReadonlyMap<string, readonly ZoneProblem[]>;
}

/** Above the cells and the outlines of the page. */
export const ZONES_Z_INDEX = 10;

/** The features, and their layer. */
export class ZoneFeatures {
  /** Features to which a corner snaps: all but the one that is edited. */
  readonly neighbours = new Collection<Feature>();
  readonly #axes: Axes;
  readonly #isTouch: boolean;
  readonly #source = new VectorSource();
  readonly layer = new VectorLayer({
    source: this.#source,
    className: "zones-edited",
    renderOrder: largestFirst,
    updateWhileAnimating: true,
    updateWhileInteracting: true,
    zIndex: ZONES_Z_INDEX,
  });
  readonly #features = new Map<string, Feature>();
  readonly #keys = new Map<Feature, string>();
  /** What each feature shows; a feature that shows the same is left as it is. */
  readonly #shown = new Map<string, readonly Polygon[]>();
  readonly #looks = new Map<string, string>();
  #colors: EditorColors;
  #yUp: boolean;
  #excluded: Feature | undefined;
  constructor(axes: Axes, colors: EditorColors, isTouch: boolean) {
    this.#axes = axes;
    this.#yUp = axes.yUp;
    this.#colors = colors;
    this.#isTouch = isTouch;
  }

  /** The colours, from the next {@linkcode show} on. */
  set colors(colors: EditorColors) {
    this.#colors = colors;
    this.#looks.clear();
  }

  /** The key of the zone of a feature. */
  keyOf(feature: Feature): string | undefined {
    return this.#keys.get(feature);
  }

  /** The feature of a zone. */
  find(key: string | undefined): Feature | undefined {
    return key === undefined ? undefined : this.#features.get(key);
  }

  /** Makes the next {@linkcode show} replace the geometry of a zone. */
  invalidate(key: string): void {
    this.#shown.delete(key);
    this.#looks.delete(key);
  }

  /**
   * Shows zones.
   *
   * @param isEditing whether corners of the selected zone can be moved: then
   * they do not snap to itself
   */
  show(view: CanvasView, isEditing: boolean): void {
    if (this.#yUp !== this.#axes.yUp) {
      this.#yUp = this.#axes.yUp;
      this.#shown.clear();
      this.#looks.clear();
    }
    const keys = new Set(view.zones.map(({ key }) => key));
    for (const key of [...this.#features.keys()]) {
      if (!keys.has(key)) this.#remove(key);
    }
    for (const zone of view.zones) this.#update(zone, view);
    this.#exclude(isEditing ? this.find(view.selected) : undefined);
  }

  #update(zone: ZoneDraft, view: CanvasView): void {
    const { key, polygons } = zone;
    let feature = this.#features.get(key);
    if (feature === undefined) {
      feature = new Feature();
      this.#features.set(key, feature);
      this.#keys.set(feature, key);
    }
    const isMoved = this.#shown.get(key) !== polygons;
    if (isMoved) {
      feature.setGeometry(this.#geometryOf(polygons));
      this.#shown.set(key, polygons);
    }
    const isSelected = key === view.selected;
    const look = this.#lookOf(zone, view, isSelected);
    const text = JSON.stringify(look);
    if (this.#looks.get(key) !== text) {
      this.#looks.set(key, text);
      feature.setStyle(zoneStyles(look, this.#colors, this.#isTouch));
    }
    if (!this.#source.hasFeature(feature)) {
      this.#source.addFeature(feature);
      this.neighbours.push(feature);
    }
  }

  #remove(key: string): void {
    const feature = this.#features.get(key)!;
    this.#source.removeFeature(feature);
    this.neighbours.remove(feature);
    this.#features.delete(key);
    this.#keys.delete(feature);
    this.#shown.delete(key);
    this.#looks.delete(key);
    if (this.#excluded === feature) this.#excluded = undefined;
  }

  #exclude(feature: Feature | undefined): void {
    if (feature === this.#excluded) return;
    if (this.#excluded) this.neighbours.push(this.#excluded);
    if (feature) this.neighbours.remove(feature);
    this.#excluded = feature;
  }

  #lookOf(
    zone: ZoneDraft,
    { corner, unsaved, problems }: CanvasView,
    isSelected: boolean,
  ): ZoneLook {
    const { key, polygons } = zone;
    const all = problems.get(key) ?? [];
    const crossing = all.find(({ at }) => at !== undefined)?.at;
    const active = isSelected && corner && positionOf(polygons, corner);
    return {
      title: titleOf(zone),
      isSelected,
      hasProblem: all.length > 0,
      isUnsaved: unsaved.has(key),
      activeCorner: active ? corner : undefined,
      crossing: crossing && this.#toMap(crossing),
    };
  }

  #geometryOf(polygons: readonly Polygon[]): MultiPolygon {
    return new MultiPolygon(
      polygons.map((rings) =>
        rings.map((ring) => ring.map((at) => this.#toMap(at)))
      ),
    );
  }

  #toMap([x, y]: Position): number[] {
    return [x, this.#axes.turn(y)];
  }
}

/** The polygons of a feature, in cells. */
export function polygonsOf(feature: Feature, axes: Axes): readonly Polygon[] {
  const geometry = feature.getGeometry() as MultiPolygon;
  return geometry.getCoordinates().map((rings) =>
    rings.map((ring) => ring.map(([x, y]) => [x!, axes.turn(y!)] as const))
  );
}
