/**
 * The request for the cells of a layer, and what its replies mean.
 *
 * @module
 */
import {
  contains,
  DEFAULT_LAYER,
  type LayerDisplay,
  ReadingBatch,
  type Region,
  ReplyAssembler,
  type ReplyPart,
  sortedRegion,
} from "../protocol/mod.ts";
import { type Question, ReplyCollector } from "./reply_collector.ts";

/** Which part of the map to request, and how long to wait for the reply. */
export interface MapQuery {
  /** Default `default`. */
  readonly layer?: string;
  /** Only the cells of this region. Default: all. */
  readonly region?: Region;
  /**
   * Only the cells that changed after this revision of the same layer. Default:
   * all.
   */
  readonly since?: number;
  /** Maximum size of a message of the reply, in bytes. Default 256 KiB. */
  readonly maxBytes?: number;
  /** Maximum time to the first part of the reply and between parts, in ms. */
  readonly timeout: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/** The map, or the requested part of it, at one moment. */
export interface MapView {
  /** The layer. */
  readonly layer: string;
  /** The cells, each with the time of its observation. */
  readonly cells: ReadingBatch;
  /** Undefined on the original wire, as are the members below. */
  readonly revision?: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time?: number;
  /** Cells observed longer ago than this, before `time`, are stale, in ms. */
  readonly staleAfter?: number;
  /**
   * Identifies the map, see `MapMoment.began`. Revisions of different maps
   * cannot be compared.
   */
  readonly began?: number;
  /** How the server wants the layer to be shown. */
  readonly display?: LayerDisplay;
}

/** Returns the question for a query. */
export function mapQuestion(query: MapQuery): Question<MapView> {
  const { layer = DEFAULT_LAYER, since, maxBytes } = query;
  const region = query.region && sortedRegion(query.region);
  const collector = new ReplyCollector<ReplyPart, ReplyAssembler, MapView>(
    () => new ReplyAssembler(),
    (reply) => viewOf(reply.header!, reply.cells()),
  );
  return {
    fields: { layer: query.layer, region: query.region, since, maxBytes },
    read: (part) => {
      if (!("layer" in part)) return { ignored: "not of cells" };
      if ("at" in part) return { ignored: "of a time in the past" };
      if (part.layer !== layer) return { ignored: "of another layer" };
      return collector.add(part);
    },
    // The original request cannot name a region.
    readOriginal: (cells) => ({
      layer: DEFAULT_LAYER,
      cells: region === undefined ? cells : cellsWithin(cells, region),
    }),
  };
}

/** Returns the cells of a batch that are in a region. */
export function cellsWithin(
  { length, x, y, value, time }: ReadingBatch,
  region: Region,
): ReadingBatch {
  const inside = new ReadingBatch();
  for (let i = 0; i < length; i++) {
    if (contains(region, x[i]!, y[i]!)) {
      inside.push(x[i]!, y[i]!, value[i]!, time[i]);
    }
  }
  return inside;
}

function viewOf(part: ReplyPart, cells: ReadingBatch): MapView {
  const { layer, revision, time, staleAfter, began, display } = part;
  return {
    layer,
    revision,
    time,
    cells,
    ...(staleAfter !== undefined && { staleAfter }),
    ...(began !== undefined && { began }),
    ...(display !== undefined && { display }),
  };
}
