import type { WatchEvent } from "../../../../request/mod.ts";
import { type ColorDepth, CountedCells } from "../../../terminal/map/mod.ts";
import { readKeys } from "./keys.ts";
import type { Pane } from "./pane.ts";
import { Screen, TerminalGone, typed } from "./screen.ts";

/** The least time between two frames, ms. */
const FRAME = 50;
/** A frame may take one part in so many of the time. */
const SHARE = 4;
/** How often a picture that ages is drawn anew, ms. */
const TICK = 1000;

/** What {@linkcode Live} is given. */
export interface LiveOptions {
  readonly layer: string;
  readonly pane: Pane;
  readonly depth: ColorDepth;
  /**
   * Called when it is to end: by `q`, by Ctrl-C, or because the terminal is
   * gone, which not always comes with a SIGHUP.
   */
  readonly end: (why: "quit" | "interrupt" | "gone") => void;
}

/**
 * Shows a map on the terminal as it changes. The terminal is taken when there
 * is something to show, and given back at the end, however it comes.
 */
export class Live {
  readonly #options: LiveOptions;
  readonly #cells = new CountedCells();
  #screen: Screen | undefined;
  #last: { readonly event: WatchEvent; readonly at: number } | undefined;
  #note: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #drawing = false;
  /** Something has come that is not in the frame that is being drawn. */
  #outdated = false;
  /** When the next frame may be drawn, of `performance.now()`. */
  #nextFrame = 0;
  #failed: ((error: unknown) => void) | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  /** Shows what is told until there is no more. @throws What the events or the terminal throw */
  async show(events: AsyncIterable<WatchEvent>): Promise<void> {
    const failure = Promise.withResolvers<never>();
    this.#failed = failure.reject;
    const redrawn = () => {
      this.#screen?.forget();
      this.#soon();
    };
    const resized = Deno.build.os === "windows" ? undefined : redrawn;
    if (resized) Deno.addSignalListener("SIGWINCH", resized);
    const ticking = this.#options.pane.ages
      ? setInterval(() => this.#soon(), TICK)
      : undefined;
    try {
      await Promise.race([this.#follow(events), failure.promise]);
    } finally {
      clearInterval(ticking);
      clearTimeout(this.#timer);
      this.#failed = undefined;
      if (resized) Deno.removeSignalListener("SIGWINCH", resized);
      await this.#screen?.[Symbol.asyncDispose]();
    }
  }

  /** Says something to the person who looks, in place of the keys; undefined: no more. */
  note(words: string | undefined): void {
    this.#note = words;
    this.#soon();
  }

  async #follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      if (event.kind === "snapshot") this.#cells.clear();
      this.#cells.add(event);
      this.#last = { event, at: performance.now() };
      if (this.#screen === undefined) {
        this.#screen = new Screen(this.#options.depth);
        this.#listen().catch((error) => this.#fail(error));
      }
      this.#soon();
    }
  }

  async #listen(): Promise<void> {
    for await (const text of typed()) {
      for (const key of readKeys(text)) {
        if (key === "interrupt") this.#options.end("interrupt");
        else if (key === "q" || key === "Q") this.#options.end("quit");
        else if (this.#options.pane.press(key)) this.#soon();
      }
    }
  }

  /** Draws when it is time for a frame; what comes until then is on it. */
  #soon(): void {
    if (this.#failed === undefined) return;
    if (this.#drawing) {
      this.#outdated = true;
      return;
    }
    const wait = Math.max(0, this.#nextFrame - performance.now());
    this.#timer ??= setTimeout(async () => {
      this.#timer = undefined;
      this.#drawing = true;
      this.#outdated = false;
      try {
        await this.#draw();
      } catch (error) {
        this.#fail(error);
      }
      this.#drawing = false;
      if (this.#outdated) this.#soon();
    }, wait);
  }

  #fail(error: unknown): void {
    if (error instanceof TerminalGone) this.#options.end("gone");
    else this.#failed?.(error);
  }

  async #draw(): Promise<void> {
    if (this.#screen === undefined || this.#last === undefined) return;
    const start = performance.now();
    const { event, at } = this.#last;
    const { layer, pane, depth } = this.#options;
    await this.#screen.draw(pane.draw({
      layer,
      depth,
      cells: this.#cells,
      // The server's clock, not ours: they may differ.
      time: event.time + (start - at),
      staleAfter: event.staleAfter,
      note: this.#note,
      ...this.#screen.size,
    }));
    const end = performance.now();
    this.#nextFrame = Math.max(
      start + FRAME,
      end + (SHARE - 1) * (end - start),
    );
  }
}
