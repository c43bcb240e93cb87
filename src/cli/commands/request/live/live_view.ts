/**
 * Shows what is watched on the terminal.
 *
 * @module
 */
import type { Canvas, ColorDepth } from "../../../terminal/map/mod.ts";
import { drawKeys, type KeyMeaning } from "./key_help.ts";
import { type Key, pressedKeys } from "./keyboard.ts";
import { Screen, TerminalGone } from "./screen.ts";

/** Minimum time between two frames, ms. */
const FRAME_INTERVAL_MS = 50;
/** Drawing takes at most 1/4 of the time. */
const MAX_LOAD = 1 / 4;
/** Time between two frames of what changes with the time, ms. */
const TICK_INTERVAL_MS = 1000;

/** What a frame depends on, besides the data. */
export interface Frame {
  /** Since the last event, in ms. */
  readonly elapsed: number;
  /** An urgent notice to the user. */
  readonly notice: string | undefined;
  /** Of the terminal, in columns. */
  readonly width: number;
  /** Of the terminal, in lines. */
  readonly height: number;
  readonly depth: ColorDepth;
}

/** The data of a live view, and how to show it. */
export interface LiveModel<Event> {
  /** True if the drawing changes as time passes. */
  readonly hasAges: boolean;
  /** The keys that it uses. */
  readonly keys: readonly KeyMeaning[];
  /** Applies an event of the watch. */
  apply(event: Event): void;
  /** Draws the data, not larger than the terminal; after the first event. */
  draw(frame: Frame): Canvas;
  /** Handles a key. Returns false if the model does not use it. */
  press(key: Key): boolean;
}

/** Options of {@linkcode LiveView}. */
export interface LiveViewOptions<Event> {
  readonly model: LiveModel<Event>;
  readonly depth: ColorDepth;
  /**
   * Called to end the view: at `q`, at Ctrl-C, or when the terminal is gone
   * (SIGHUP is not always sent).
   */
  readonly onEnd: (reason: "quit" | "interrupt" | "terminalGone") => void;
  /** Adds a step to take before the process is ended at once. */
  readonly beforeExit: (step: () => Promise<void>) => void;
}

/**
 * Shows watched data on the terminal as it changes. Switches the terminal to the view
 * at the first event and restores it at the end.
 */
export class LiveView<Event> {
  readonly #options: LiveViewOptions<Event>;
  #screen: Screen | undefined;
  /** When the last event arrived, as `performance.now()`. */
  #lastEvent = 0;
  #notice: string | undefined;
  /** True while the list of keys covers the map. */
  #showsKeys = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDrawing = false;
  /** True if the frame being drawn lacks a change. */
  #isOutdated = false;
  /** The earliest time of the next frame, as `performance.now()`. */
  #nextFrame = 0;
  /** Rejects {@linkcode show}; undefined while it is not running. */
  #reject: ((error: unknown) => void) | undefined;

  constructor(options: LiveViewOptions<Event>) {
    this.#options = options;
  }

  /** Shows all events. @throws errors of the events or of the terminal */
  async show(events: AsyncIterable<Event>): Promise<void> {
    const failure = Promise.withResolvers<never>();
    this.#reject = failure.reject;
    const onResize = () => {
      this.#screen?.invalidate();
      this.#scheduleFrame();
    };
    const hasResizeSignal = Deno.build.os !== "windows";
    if (hasResizeSignal) Deno.addSignalListener("SIGWINCH", onResize);
    const ticker = this.#options.model.hasAges
      ? setInterval(() => this.#scheduleFrame(), TICK_INTERVAL_MS)
      : undefined;
    try {
      await Promise.race([this.#follow(events), failure.promise]);
    } finally {
      clearInterval(ticker);
      clearTimeout(this.#timer);
      this.#reject = undefined;
      if (hasResizeSignal) Deno.removeSignalListener("SIGWINCH", onResize);
      await this.#screen?.[Symbol.asyncDispose]();
    }
  }

  /** Shows a notice in place of the keys; undefined removes it. */
  setNotice(text: string | undefined): void {
    this.#notice = text;
    this.#scheduleFrame();
  }

  async #follow(events: AsyncIterable<Event>): Promise<void> {
    for await (const event of events) {
      this.#options.model.apply(event);
      this.#lastEvent = performance.now();
      if (this.#screen === undefined) {
        const screen = this.#screen = new Screen(this.#options.depth);
        this.#options.beforeExit(() => screen[Symbol.asyncDispose]());
        this.#handleKeys().catch((error) => this.#fail(error));
      }
      this.#scheduleFrame();
    }
  }

  async #handleKeys(): Promise<void> {
    const { model, onEnd } = this.#options;
    for await (const key of pressedKeys()) {
      if (key === "interrupt") onEnd("interrupt");
      else if (key === "q" || key === "Q") onEnd("quit");
      else if (key === "?" || this.#showsKeys) {
        this.#showsKeys = !this.#showsKeys;
        this.#scheduleFrame();
      } else if (model.press(key)) this.#scheduleFrame();
    }
  }

  /** Draws the next frame as soon as it is due, with all changes until then. */
  #scheduleFrame(): void {
    if (this.#reject === undefined) return;
    if (this.#isDrawing) {
      this.#isOutdated = true;
      return;
    }
    const wait = Math.max(0, this.#nextFrame - performance.now());
    this.#timer ??= setTimeout(async () => {
      this.#timer = undefined;
      this.#isDrawing = true;
      this.#isOutdated = false;
      try {
        await this.#draw();
      } catch (error) {
        this.#fail(error);
      }
      this.#isDrawing = false;
      if (this.#isOutdated) this.#scheduleFrame();
    }, wait);
  }

  #fail(error: unknown): void {
    if (error instanceof TerminalGone) this.#options.onEnd("terminalGone");
    else this.#reject?.(error);
  }

  async #draw(): Promise<void> {
    if (this.#screen === undefined) return;
    const start = performance.now();
    const { model, depth } = this.#options;
    const frame: Frame = {
      depth,
      elapsed: start - this.#lastEvent,
      notice: this.#notice,
      ...this.#screen.size,
    };
    await this.#screen.draw(
      this.#showsKeys ? drawKeys(model.keys, frame) : model.draw(frame),
    );
    const end = performance.now();
    this.#nextFrame = Math.max(
      start + FRAME_INTERVAL_MS,
      start + (end - start) / MAX_LOAD,
    );
  }
}
