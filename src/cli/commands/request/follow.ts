/**
 * What the watches of cells and of zones have in common: connect, show events
 * live or as lines, say when the view is not live, end.
 *
 * @module
 */
import type { Topics } from "../../../protocol/mod.ts";
import type { ServerWatch } from "../../../request/mod.ts";
import { connect, leave } from "../../connect.ts";
import { env } from "../../env.ts";
import { Exit } from "../../exit_codes.ts";
import { refuseOriginalServer } from "../../original_server.ts";
import { colorDepth } from "../../terminal/capabilities.ts";
import { Ending } from "../../terminal/ending.ts";
import { drainOut, printError } from "../../terminal/output.ts";
import { watchPipeReader } from "../../terminal/pipe_reader.ts";
import { ConnectionStatus } from "./live/connection_status.ts";
import type { LiveModel } from "./live/live_view.ts";
import type { RequestFlags } from "./options.ts";

/** Maximum time for a live view to end, ms. */
const END_TIMEOUT_MS = 900;

/** The exit codes of a live view, by what ended it. */
const EXIT_BY_REASON = {
  quit: Exit.ok,
  interrupt: Exit.interrupted,
  terminalGone: Exit.hungUp,
} as const;

/** Shows the events of a watch. */
export interface View<Event> {
  /** Shows all events. */
  show(events: AsyncIterable<Event>): Promise<void>;
  /** Shows a notice to the user; undefined removes it. */
  setNotice(text: string | undefined): void;
}

/** Options of {@linkcode follow}. */
export interface FollowOptions<Event> {
  readonly topics: Topics;
  readonly watcher: ServerWatch<Event, unknown>;
  /** What to do about a server of the original protocol. */
  readonly originalHint: string;
  /** Creates the view. */
  readonly createView: (ending: Ending) => Promise<View<Event>> | View<Event>;
  /** Returns how many changes an event has, for `--count`. */
  readonly countChanges: (event: Event) => number;
  /** Returns an event with its first changes only. Default: all of it. */
  readonly cut?: (event: Event, changes: number) => Event;
}

/** Shows the events of a watch until the command is ended. */
export async function follow<Event>(
  flags: RequestFlags,
  { topics, watcher, originalHint, createView, ...limits }: FollowOptions<
    Event
  >,
): Promise<number> {
  using ending = new Ending();
  using _reader = watchPipeReader(() => ending.end(Exit.ok));
  const view = await createView(ending);
  using status = new ConnectionStatus(topics, (text) => view.setNotice(text));
  const { signal } = ending;
  const link = await connect(flags, status.observe(watcher), {
    ...status.connectionHandlers,
    signal,
  });
  try {
    await refuseOriginalServer(flags, { topics, hint: originalHint, signal });
    const events = watcher.watch(status.observeRequests(link), { signal });
    await view.show(limited(events, flags, ending, limits));
  } finally {
    await leave(link);
  }
  return ending.exitCode;
}

/** Loads the live view. */
export async function liveView<Event>(
  model: LiveModel<Event>,
  flags: RequestFlags,
  ending: Ending,
): Promise<View<Event>> {
  const { LiveView } = await import("./live/live_view.ts");
  ending.signal.addEventListener("abort", () => {
    // The process ends even if the terminal or the broker blocks.
    const timer = setTimeout(() => ending.exit(), END_TIMEOUT_MS);
    Deno.unrefTimer(timer);
  });
  return new LiveView({
    model,
    depth: colorDepth(flags.color, env, true),
    onEnd: (reason) => ending.end(EXIT_BY_REASON[reason]),
    beforeExit: (step) => ending.beforeExit(step),
  });
}

/** Prints events as lines. */
export class LinePrinter<Event> implements View<Event> {
  readonly #linesOf: (event: Event) => string;
  readonly #quiet: boolean;
  #hasNotice = false;
  #hasEvents = false;

  /** @param linesOf returns an event as lines, each with a line feed */
  constructor(
    linesOf: (event: Event) => string,
    { quiet = false }: { readonly quiet?: boolean },
  ) {
    this.#linesOf = linesOf;
    this.#quiet = quiet;
  }

  async show(events: AsyncIterable<Event>): Promise<void> {
    for await (const event of events) {
      this.#hasEvents = true;
      // While a slow reader blocks this, the watcher sums up the changes.
      await drainOut(this.#linesOf(event));
    }
  }

  /** Prints the notice to stderr, after the first event only. */
  setNotice(text: string | undefined): void {
    if (this.#quiet || !this.#hasEvents) return;
    if (text !== undefined) printError(text);
    else if (this.#hasNotice) printError("Live again");
    this.#hasNotice = text !== undefined;
  }
}

/** Yields events up to the limits of `--count` and `--for`. */
async function* limited<Event>(
  events: AsyncIterable<Event>,
  { count = Infinity, for: duration }: RequestFlags,
  ending: Ending,
  { countChanges, cut = (event) => event }: Pick<
    FollowOptions<Event>,
    "countChanges" | "cut"
  >,
): AsyncGenerator<Event> {
  let left = count;
  for await (const event of events) {
    if (duration !== undefined) ending.endIn(duration);
    const changes = countChanges(event);
    yield changes <= left ? event : cut(event, left);
    left -= changes;
    if (left <= 0) return;
  }
}
