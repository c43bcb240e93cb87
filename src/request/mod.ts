/**
 * Requests the map from a server, or watches it.
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
} from "./requester.ts";
export { Watcher, type WatcherOptions, type WatchEvent } from "./watch.ts";
