/// <reference lib="dom" />
/**
 * The cells of the layer that the page shows: requests those that are visible,
 * keeps those that arrive, and frames the map on them.
 *
 * @module
 */

import type { Frame } from "../feed/frames.ts";
import type { View } from "../feed/messages.ts";
import type { Region } from "../protocol/region.ts";
import { CellLoader } from "./map/cell_loader.ts";
import type { MapView } from "./map/map_view.ts";
import { LayerCells } from "./map/layer_cells.ts";
import { boundsOf, type Point } from "./map/regions.ts";
import type { CellText } from "./modes/mode.ts";
import { ViewRequests } from "./map/view_requests.ts";
import type { CurrentLayer } from "./panels/current_layer.ts";
import { LostNotice } from "./panels/lost_notice.ts";

/** What {@linkcode ShownCells} needs of the page. */
export interface ShownCellsOptions {
  readonly map: MapView;
  readonly layer: CurrentLayer;
  /** Requests a view of a layer from the server. */
  requestView(layer: string, region: View["region"]): void;
  /** Called when cells have changed. */
  onChange(): void;
}

/** The cells that are shown. */
export class ShownCells {
  readonly #options: ShownCellsOptions;
  readonly #requests: ViewRequests;
  readonly #loader: CellLoader;
  readonly #lost: LostNotice;
  /** The cells of the live map. */
  #live = new LayerCells();
  #past: LayerCells | undefined;
  /**
   * The time of {@linkcode ShownCells.past}, ms since 1970; undefined: the
   * present.
   */
  time: number | undefined;
  /** What a mode says of a cell instead of its value. */
  textOf: ((cell: Point) => CellText | undefined) | undefined;

  constructor(options: ShownCellsOptions) {
    this.#options = options;
    const { map } = options;
    this.#requests = new ViewRequests((layer, region) =>
      options.requestView(layer, region)
    );
    this.#loader = new CellLoader(
      (cells) => {
        this.#live = cells;
        if (this.#past !== undefined) return;
        map.cellLayer.cells = cells;
        this.#onChange();
      },
      () => {
        if (this.#past === undefined) this.#onChange();
      },
    );
    this.#lost = new LostNotice(() => map.moves.showAll());
  }

  /** Applies a message of the live feed. */
  async push(frame: Frame): Promise<void> {
    await this.#loader.push(frame);
  }

  /**
   * The cells that are shown instead of the live ones, which arrive
   * nevertheless; undefined: the live ones are shown.
   */
  get past(): LayerCells | undefined {
    return this.#past;
  }

  set past(cells: LayerCells | undefined) {
    if (cells === this.#past) return;
    this.#past = cells;
    this.#options.map.cellLayer.cells = cells ?? this.#live;
    this.#onChange();
  }

  /** Shows changes of {@linkcode ShownCells.past}. */
  refresh(): void {
    this.#onChange();
  }

  /** Returns true if all cells of a region are loaded. */
  hasLoaded(region: Region): boolean {
    return this.#past !== undefined || this.#loader.hasLoaded(region);
  }

  /** Requests the cells that are visible. */
  request(): void {
    const { map, layer } = this.#options;
    if (layer.name === undefined) return;
    this.#requests.update(
      { name: layer.name, cells: layer.own?.cells ?? 0 },
      map.framed ? map.visibleRegion : null,
    );
  }

  /** Forgets all cells, as for another layer. */
  clear(): void {
    this.#requests.reset();
    this.#loader.clear();
  }

  /** Tells the map what there is to show of the layer, and which way y grows. */
  frame(): void {
    const { map, layer: { own } } = this.#options;
    const { bounds: loaded } = map.cellLayer.cells;
    map.yUp = own?.display?.yUp === true;
    map.cells = boundsOf(own?.bounds ?? null, loaded);
  }

  /** Says so if the view has neither cells nor floor plan, but the layer does. */
  checkLost(): void {
    const { map } = this.#options;
    const { cells } = map.cellLayer;
    const isEmpty = cells.bounds === undefined && !map.hasPlan;
    const region = map.visibleRegion;
    this.#lost.show(
      map.framed && !isEmpty && this.hasLoaded(region) &&
        !map.planVisible && !cells.hasCellIn(region),
    );
  }

  #onChange(): void {
    const { map, onChange } = this.#options;
    map.redraw();
    onChange();
    // Later changes of the bounds come with the status, once a second.
    if (!map.framed) this.frame();
    if (this.#lost.shown) this.checkLost();
  }
}
