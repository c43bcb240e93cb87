/**
 * Requests the map or zones from a server, or watches them.
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
export { Watcher, type WatcherOptions, type WatchEvent } from "./watch.ts";
