/**
 * Requests the map, zones or sources from a server, or watches them.
 *
 * @module
 */
export { CellMap, type CellState } from "./cell_map.ts";
export { NoAnswerError, RefusedError } from "./errors.ts";
export {
  type MapQuery,
  type MapView,
  Requester,
  type RequesterOptions,
  type Wire,
  type ZonesQuery,
  type ZonesView,
} from "./requester.ts";
export { requestSources, type SourcesQuery } from "./sources_request.ts";
export { ServerWatch, type ServerWatchOptions } from "./server_watch.ts";
export { Watcher, type WatcherOptions, type WatchEvent } from "./watch.ts";
export {
  ZoneWatcher,
  type ZoneWatcherOptions,
  type ZoneWatchEvent,
} from "./zone_watch.ts";
