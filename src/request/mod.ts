export {
  Asker,
  type AskerOptions,
  type MapView,
  type Question,
  type Wire,
} from "./ask.ts";
export { CellMap, type CellState } from "./cell_map.ts";
export { NoAnswerError, RefusedError } from "./errors.ts";
export { Watcher, type WatcherOptions, type WatchEvent } from "./watch.ts";
