import { ReadingBatch, Topics, UNKNOWN } from "../../../protocol/mod.ts";
import { Watcher, type WatchEvent } from "../../../request/mod.ts";
import { colorDepth } from "../../terminal/color.ts";
import { connect, leave, uniqueClientId } from "../../connect.ts";
import { Ending } from "../../terminal/ending.ts";
import { Exit } from "../../exit.ts";
import type { RequestFlags } from "./options.ts";
import { ConnectionStatus } from "./live/connection_status.ts";
import { firstOf } from "./live/select.ts";
import { CountedCells } from "../../terminal/map/mod.ts";
import { drainOut, printError } from "../../terminal/output.ts";
import { renderJson, renderTsv } from "../../terminal/render.ts";
import type { Form } from "./mode.ts";

/** How long nothing may come in a terminal until it is asked whether all is well, ms. */
const CHECK_AFTER = 1500;
/** How long a live picture may take to end, ms. */
const LAST = 900;

/** What a live picture ends with. */
const ENDS = {
  quit: Exit.ok,
  interrupt: Exit.interrupted,
  gone: Exit.hungUp,
} as const;

/** `occupancy request --watch`: the map, then what changes, until it is enough. */
export async function watch(
  flags: RequestFlags,
  form: Form,
): Promise<number> {
  const { layer, timeout } = flags;
  const region = flags.at ?? flags.region;
  const topics = new Topics(flags.prefix);
  const lines = form === "tsv" || form === "json";
  const watcher = new Watcher({
    topics,
    name: uniqueClientId("request"),
    layer,
    timeout,
    ...(region && { region }),
    // A person must not look at a dead picture for long.
    ...(!lines && { checkAfter: CHECK_AFTER }),
  });
  using ending = new Ending();
  const view = lines ? new Lines(form, flags) : await live(flags, form, ending);
  const liveness = new ConnectionStatus(topics, (words) => view.note(words));
  try {
    const party = liveness.listening(watcher);
    const link = await connect(flags, party, {
      ...liveness.connection,
      signal: ending.signal,
    });
    try {
      const asked = liveness.asking(link);
      const events = watcher.watch(asked, { signal: ending.signal });
      await view.show(limited(events, flags, ending));
    } finally {
      await leave(link);
    }
  } finally {
    liveness.stop();
  }
  return ending.exitCode;
}

/** Something that events are shown on. */
interface View {
  /** Shows events until there are no more. */
  show(events: AsyncIterable<WatchEvent>): Promise<void>;
  /** Says something to a person who looks. */
  note(words: string | undefined): void;
}

/** Loaded only where it is asked for. */
async function live(
  flags: RequestFlags,
  form: "table" | "map",
  ending: Ending,
): Promise<View> {
  const region = flags.at ?? flags.region;
  const { Live } = await import("./live/live.ts");
  const pane = form === "map"
    ? new (await import("./live/map_pane.ts")).MapPane(region)
    : new (await import("./live/table_pane.ts")).TablePane(region);
  ending.signal.addEventListener("abort", () => {
    // Whatever hangs: who ends it does not wait for that.
    const timer = setTimeout(() => Deno.exit(ending.exitCode), LAST);
    Deno.unrefTimer(timer);
  });
  return new Live({
    layer: flags.layer,
    pane,
    depth: colorDepth(flags.color, (name) => Deno.env.get(name), true),
    end: (why) => ending.end(ENDS[why]),
  });
}

/** Events until `--count` or `--for` says that it is enough. */
async function* limited(
  events: AsyncIterable<WatchEvent>,
  { count = Infinity, for: span, json, format }: RequestFlags,
  ending: Ending,
): AsyncGenerator<WatchEvent> {
  let left = count;
  for await (const event of events) {
    if (span !== undefined) ending.endIn(span);
    const { kind, cells } = event;
    const changes = kind === "changes" ? cells.length : 0;
    // A JSON object is one step of the map and stays whole.
    const whole = changes <= left || json || format === "json";
    yield whole ? event : { ...event, cells: firstCells(cells, left) };
    left -= changes;
    if (left <= 0) return;
  }
}

/** The first of some cells, as they are printed: row by row. */
function firstCells(cells: ReadingBatch, count: number): ReadingBatch {
  const { length, x, y, value, time } = cells;
  const first = new ReadingBatch(count);
  const order = (a: number, b: number) => y[a]! - y[b]! || x[a]! - x[b]!;
  for (const i of firstOf(length, count, order)) {
    first.push(x[i]!, y[i]!, value[i]!, time[i]);
  }
  return first;
}

/** A line a cell, or a JSON object an event, for whoever reads the pipe. */
class Lines implements View {
  readonly #form: "tsv" | "json";
  readonly #quiet: boolean;
  #known = new CountedCells();
  #noted = false;
  #begun = false;

  constructor(form: "tsv" | "json", { quiet = false }: { quiet?: boolean }) {
    this.#form = form;
    this.#quiet = quiet;
  }

  async show(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      this.#begun = true;
      // Waiting for a slow reader lets the watcher sum up what it misses.
      await drainOut(this.#form === "json" ? jsonOf(event) : this.#tsv(event));
    }
  }

  /** A pipe has no place for it, and whoever reads the terminal has. */
  note(words: string | undefined): void {
    if (this.#quiet || !this.#begun) return;
    if (words !== undefined) printError(words);
    else if (this.#noted) printError("Live again");
    this.#noted = words !== undefined;
  }

  #tsv(event: WatchEvent): string {
    if (event.kind === "changes") {
      this.#known.add(event);
      return renderTsv(event);
    }
    const before = this.#known;
    this.#known = new CountedCells();
    this.#known.add(event);
    const gone = cellsOnlyIn(before, this.#known);
    return renderTsv({ ...event, cells: gone }) + renderTsv(event);
  }
}

/** When a server begins its map anew, cells of the old one that it has not are unknown. */
function cellsOnlyIn(before: CountedCells, now: CountedCells): ReadingBatch {
  const gone = new ReadingBatch();
  for (let row = 0; row < before.table.length; row++) {
    const x = before.table.x[row]!;
    const y = before.table.y[row]!;
    if (now.table.find(x, y) < 0) gone.push(x, y, UNKNOWN);
  }
  return gone;
}

function jsonOf(event: WatchEvent): string {
  return `{"kind":"${event.kind}",${renderJson(event).slice(1)}`;
}
