/**
 * Requests the map, its past, zones or sources from a server, or watches them.
 *
 * @module
 */
export { CellMap, type CellState } from "./cell_map.ts";
export { NoAnswerError, RefusedError } from "./errors.ts";
export { type MapQuery, type MapView } from "./map_request.ts";
export { PastCellMap, type PastCellState } from "./past_map.ts";
export {
  type PastMapQuery,
  type PastSeriesQuery,
  requestPastMap,
  requestSeries,
  type Time,
} from "./past_request.ts";
export { Requester, type RequesterOptions, type Wire } from "./requester.ts";
export { requestSources, type SourcesQuery } from "./sources_request.ts";
export { ServerWatch, type ServerWatchOptions } from "./server_watch.ts";
export { type ZonesQuery, type ZonesView } from "./zones_request.ts";
export { Watcher, type WatcherOptions, type WatchEvent } from "./watch.ts";
export {
  ZoneWatcher,
  type ZoneWatcherOptions,
  type ZoneWatchEvent,
} from "./zone_watch.ts";
