/**
 * Runs `occupancy request --watch`: live on a terminal, or as lines in a pipe.
 *
 * @module
 */
import { ReadingBatch, Topics, UNKNOWN } from "../../../protocol/mod.ts";
import { Watcher, type WatchEvent } from "../../../request/mod.ts";
import { uniqueClientId } from "../../connect.ts";
import { CountedCells } from "../../terminal/map/mod.ts";
import { renderJson, renderTsv, type TimeForm } from "../../terminal/render.ts";
import { follow, LinePrinter, liveView } from "./follow.ts";
import { firstOf } from "./live/select.ts";
import type { OutputForm } from "./mode.ts";
import type { RequestFlags } from "./options.ts";

/** Time without a delta after which a live view checks the server, ms. */
const CHECK_AFTER_MS = 1500;

const ORIGINAL_HINT =
  "That server publishes no changes. Without --watch, --wire original requests its map.";

/**
 * Prints the map, then its changes, until the command is ended.
 *
 * @param notes texts below a live map
 */
export async function watch(
  flags: RequestFlags,
  form: OutputForm,
  notes: readonly string[] = [],
): Promise<number> {
  const { layer, timeout, times } = flags;
  const region = flags.at ?? flags.region;
  const topics = new Topics(flags.prefix);
  const isLive = form === "table" || form === "map";
  const watcher = new Watcher({
    topics,
    name: uniqueClientId("request"),
    layer,
    timeout,
    ...(region && { region }),
    // A live view must soon show that it is no longer live.
    ...(isLive && { checkAfter: CHECK_AFTER_MS }),
  });
  const lines = new CellLines(times);
  return await follow<WatchEvent>(flags, {
    topics,
    watcher,
    originalHint: ORIGINAL_HINT,
    createView: async (ending) => {
      if (!isLive) {
        const isJson = form === "json";
        return new LinePrinter(
          (event) => isJson ? jsonOf(event, times) : lines.next(event),
          flags,
        );
      }
      const { MapPane, TablePane } = await import("./live/panes.ts");
      const { CellsModel } = await import("./live/cells_model.ts");
      const pane = form === "map"
        ? new MapPane(region, notes)
        : new TablePane(region);
      return await liveView(new CellsModel(layer, pane), flags, ending);
    },
    countChanges: ({ kind, cells }) => kind === "changes" ? cells.length : 0,
    // An event printed as JSON is not split.
    ...(form !== "json" && {
      cut: (event, count) => ({
        ...event,
        cells: firstCells(event.cells, count),
      }),
    }),
  });
}

/** Returns the first cells in the order in which they are printed. */
function firstCells(cells: ReadingBatch, count: number): ReadingBatch {
  const { length, x, y, value, time } = cells;
  const first = new ReadingBatch(count);
  const compare = (a: number, b: number) => y[a]! - y[b]! || x[a]! - x[b]!;
  for (const i of firstOf(length, count, compare)) {
    first.push(x[i]!, y[i]!, value[i]!, time[i]);
  }
  return first;
}

/** Writes a line per cell. */
class CellLines {
  readonly #times: TimeForm | undefined;
  #cells = new CountedCells();

  constructor(times: TimeForm | undefined) {
    this.#times = times;
  }

  /** Returns the lines of the next event. */
  next(event: WatchEvent): string {
    if (event.kind === "changes") {
      this.#cells.add(event);
      return renderTsv(event, this.#times);
    }
    const before = this.#cells;
    this.#cells = new CountedCells();
    this.#cells.add(event);
    const removed = missingCells(before, this.#cells);
    return renderTsv({ ...event, cells: removed }, this.#times) +
      renderTsv(event, this.#times);
  }
}

/**
 * Returns the cells that are missing in a new snapshot, as unknown: the server
 * has begun another map.
 */
function missingCells(before: CountedCells, now: CountedCells): ReadingBatch {
  const missing = new ReadingBatch();
  const { length, x, y } = before.table;
  for (let row = 0; row < length; row++) {
    if (now.table.find(x[row]!, y[row]!) < 0) {
      missing.push(x[row]!, y[row]!, UNKNOWN);
    }
  }
  return missing;
}

function jsonOf(event: WatchEvent, times: TimeForm | undefined): string {
  return `{"kind":"${event.kind}",${renderJson(event, times).slice(1)}`;
}
