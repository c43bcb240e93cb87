/**
 * Runs `occupancy request --watch`: live on a terminal, or as lines in a pipe.
 *
 * @module
 */
import { env } from "../../env.ts";
import { ReadingBatch, Topics, UNKNOWN } from "../../../protocol/mod.ts";
import { Watcher, type WatchEvent } from "../../../request/mod.ts";
import { connect, leave, uniqueClientId } from "../../connect.ts";
import { refuseOriginalServer } from "../../original_server.ts";
import { Exit } from "../../exit_codes.ts";
import { colorDepth } from "../../terminal/capabilities.ts";
import { Ending } from "../../terminal/ending.ts";
import { CountedCells } from "../../terminal/map/mod.ts";
import { drainOut, printError } from "../../terminal/output.ts";
import { watchPipeReader } from "../../terminal/pipe_reader.ts";
import { renderJson, renderTsv, type TimeForm } from "../../terminal/render.ts";
import { ConnectionStatus } from "./live/connection_status.ts";
import { firstOf } from "./live/select.ts";
import type { OutputForm } from "./mode.ts";
import type { RequestFlags } from "./options.ts";

/** Time without a delta after which a live view checks the server, ms. */
const CHECK_AFTER_MS = 1500;
/** Maximum time for a live view to end, ms. */
const END_TIMEOUT_MS = 900;

const ORIGINAL_HINT =
  "That server publishes no changes. Without --watch, --wire original requests its map.";

/** The exit codes of a live view, by what ended it. */
const EXIT_BY_REASON = {
  quit: Exit.ok,
  interrupt: Exit.interrupted,
  terminalGone: Exit.hungUp,
} as const;

/** Prints the map, then its changes, until the command is ended. */
export async function watch(
  flags: RequestFlags,
  form: OutputForm,
): Promise<number> {
  const { layer, timeout } = flags;
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
  using ending = new Ending();
  using _reader = watchPipeReader(() => ending.end(Exit.ok));
  const view = isLive
    ? await liveView(flags, form, ending)
    : new LinePrinter(form, flags);
  using status = new ConnectionStatus(topics, (text) => view.setNotice(text));
  const link = await connect(flags, status.observe(watcher), {
    ...status.connectionHandlers,
    signal: ending.signal,
  });
  try {
    const { signal } = ending;
    await refuseOriginalServer(flags, { topics, hint: ORIGINAL_HINT, signal });
    const events = watcher.watch(status.observeRequests(link), {
      signal: ending.signal,
    });
    await view.show(limited(events, flags, ending));
  } finally {
    await leave(link);
  }
  return ending.exitCode;
}

/** Shows the events of a watch. */
interface View {
  /** Shows all events. */
  show(events: AsyncIterable<WatchEvent>): Promise<void>;
  /** Shows a notice to the user; undefined removes it. */
  setNotice(text: string | undefined): void;
}

/** Loads the live view. */
async function liveView(
  flags: RequestFlags,
  form: "table" | "map",
  ending: Ending,
): Promise<View> {
  const region = flags.at ?? flags.region;
  const { LiveView } = await import("./live/live_view.ts");
  const { MapPane, TablePane } = await import("./live/panes.ts");
  ending.signal.addEventListener("abort", () => {
    // The process ends even if the terminal or the broker blocks.
    const timer = setTimeout(() => ending.exit(), END_TIMEOUT_MS);
    Deno.unrefTimer(timer);
  });
  return new LiveView({
    layer: flags.layer,
    pane: form === "map" ? new MapPane(region) : new TablePane(region),
    depth: colorDepth(flags.color, env, true),
    onEnd: (reason) => ending.end(EXIT_BY_REASON[reason]),
    beforeExit: (step) => ending.beforeExit(step),
  });
}

/** Yields events up to the limits of `--count` and `--for`. */
async function* limited(
  events: AsyncIterable<WatchEvent>,
  { count = Infinity, for: duration, json, format }: RequestFlags,
  ending: Ending,
): AsyncGenerator<WatchEvent> {
  let left = count;
  for await (const event of events) {
    if (duration !== undefined) ending.endIn(duration);
    const { kind, cells } = event;
    const changes = kind === "changes" ? cells.length : 0;
    // An event printed as JSON is not split.
    const isWhole = changes <= left || json || format === "json";
    yield isWhole ? event : { ...event, cells: firstCells(cells, left) };
    left -= changes;
    if (left <= 0) return;
  }
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

/** Prints a line per cell as TSV, or a line per event as JSON. */
class LinePrinter implements View {
  readonly #form: "tsv" | "json";
  readonly #quiet: boolean;
  readonly #times: TimeForm | undefined;
  #cells = new CountedCells();
  #hasNotice = false;
  #hasEvents = false;

  constructor(
    form: "tsv" | "json",
    { quiet = false, times }: { quiet?: boolean; times?: TimeForm },
  ) {
    this.#form = form;
    this.#times = times;
    this.#quiet = quiet;
  }

  async show(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      this.#hasEvents = true;
      // While a slow reader blocks this, the watcher sums up the changes.
      await drainOut(
        this.#form === "json" ? jsonOf(event, this.#times) : this.#tsv(event),
      );
    }
  }

  /** Prints the notice to stderr, after the first event only. */
  setNotice(text: string | undefined): void {
    if (this.#quiet || !this.#hasEvents) return;
    if (text !== undefined) printError(text);
    else if (this.#hasNotice) printError("Live again");
    this.#hasNotice = text !== undefined;
  }

  #tsv(event: WatchEvent): string {
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
