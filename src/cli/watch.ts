import { ReadingBatch, Topics, UNKNOWN } from "../protocol/mod.ts";
import { Watcher, type WatchEvent } from "../request/mod.ts";
import { colorDepth } from "./color.ts";
import { connect } from "./connect.ts";
import { Ending } from "./ending.ts";
import { Exit } from "./exit.ts";
import type { RequestFlags } from "./flags.ts";
import { uniqueName } from "./link.ts";
import { firstOf } from "./live/select.ts";
import { KnownCells } from "./map/mod.ts";
import { drainOut } from "./output.ts";
import { renderJson, renderTsv } from "./render.ts";
import type { Form } from "./request_mode.ts";

/** `occupancy request --watch`: the map, then what changes, until it is enough. */
export async function watch(
  flags: RequestFlags,
  form: Form,
): Promise<number> {
  const { layer, timeout } = flags;
  const region = flags.at ?? flags.region;
  const watcher = new Watcher({
    topics: new Topics(flags.prefix),
    name: uniqueName("request"),
    layer,
    timeout,
    ...(region && { region }),
  });
  const ending = new Ending();
  const view = form === "tsv" || form === "json"
    ? new Lines(form)
    : await live(flags, form, ending);
  const link = await connect(flags, watcher, {
    down: () => view.note("The broker is gone: trying again"),
    up: () => view.note(undefined),
  });
  try {
    const events = watcher.watch(link, { signal: ending.signal });
    await view.show(limited(events, flags, ending));
  } finally {
    ending.stop();
    await link.close();
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
  ending.heedSignals();
  return new Live({
    layer: flags.layer,
    pane,
    depth: colorDepth(flags.color, (name) => Deno.env.get(name), true),
    end: (why) => ending.end(why === "quit" ? Exit.ok : Exit.interrupted),
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
  #known = new KnownCells();

  constructor(form: "tsv" | "json") {
    this.#form = form;
  }

  async show(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      // Waiting for a slow reader lets the watcher sum up what it misses.
      await drainOut(this.#form === "json" ? jsonOf(event) : this.#tsv(event));
    }
  }

  note(): void {}

  #tsv(event: WatchEvent): string {
    if (event.kind === "changes") {
      this.#known.add(event);
      return renderTsv(event);
    }
    const before = this.#known;
    this.#known = new KnownCells();
    this.#known.add(event);
    const gone = cellsOnlyIn(before, this.#known);
    return renderTsv({ ...event, cells: gone }) + renderTsv(event);
  }
}

/** When a server begins its map anew, cells of the old one that it has not are unknown. */
function cellsOnlyIn(before: KnownCells, now: KnownCells): ReadingBatch {
  const gone = new ReadingBatch();
  for (let i = 0; i < before.size; i++) {
    const x = before.x[i]!;
    const y = before.y[i]!;
    if (now.indexOf(x, y) === -1) gone.push(x, y, UNKNOWN);
  }
  return gone;
}

function jsonOf(event: WatchEvent): string {
  return `{"kind":"${event.kind}",${renderJson(event).slice(1)}`;
}
