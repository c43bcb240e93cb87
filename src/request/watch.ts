import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
} from "../mqtt/link.ts";
import {
  ChangesFollower,
  type ChangesPart,
  DEFAULT_LAYER,
  type MapMoment,
  parseChanges,
  ProtocolError,
  type ReadingBatch,
  type Region,
  type Topics,
} from "../protocol/mod.ts";
import { Asker, cellsWithin, type MapView } from "./ask.ts";
import { RefusedError } from "./errors.ts";
import { Inbox } from "./inbox.ts";

/** How long no delta may come before the watcher asks whether it missed one, ms. */
const CHECK_AFTER = 10_000;
/** The least time between two questions, ms: a server in need gets no more. */
const ASK_PAUSE = 1000;

/**
 * A step of the map: apply all, in order, and you have the server's map.
 *
 * A cell is stale if `time` of the event that told it last is more than
 * `staleAfter` after its own; cells that are not told stay as they are, and
 * turning stale, fresh or unknown is told. So never age cells by your own clock.
 */
export interface WatchEvent {
  /** Whether `cells` is all there is (in the region), or what changed. */
  readonly kind: "snapshot" | "changes";
  /** The layer watched. */
  readonly layer: string;
  /** The revision of the map that this leads to. */
  readonly revision: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /** Cells observed more than this before `time` are stale, ms; none are if it is left out. */
  readonly staleAfter?: number;
  /** The cells, each with its time; a value below 0 is unknown. Yours to keep. */
  readonly cells: ReadingBatch;
}

/** What a {@linkcode Watcher} is given. */
export interface WatcherOptions {
  readonly topics: Topics;
  /** The MQTT client id; the reply topic of the watcher is named after it. */
  readonly name: string;
  /** Default `default`. */
  readonly layer?: string;
  /** Only these cells, edges included. Default: all. */
  readonly region?: Region;
  /** How long the server or the broker may be away, ms. */
  readonly timeout: number;
  /** How long no delta may come before it asks whether it missed one, ms. Default 10,000. */
  readonly checkAfter?: number;
  /** The least time between two questions, ms. Default 1,000. */
  readonly askPause?: number;
}

/**
 * Follows the map: a snapshot first, then what changes. It never misses a
 * change: when a delta is missing, and after each reconnect, it asks for what
 * changed since. The link must have been opened with
 * {@linkcode subscriptions} and {@linkcode handlersFor}.
 */
export class Watcher {
  /** The MQTT client id. */
  readonly name: string;
  readonly #options: WatcherOptions;
  readonly #layer: string;
  readonly #changesTopic: string;
  readonly #asker: Asker;
  readonly #inbox = new Inbox();
  #watching = false;
  #connected = false;
  #downReason = "";
  #failure: LinkError | undefined;
  /** What is known so far; undefined before the first snapshot. */
  #follower: ChangesFollower | undefined;
  /** True if only an answer can tell what is known. */
  #mustAsk = true;
  #lastAsk = -Infinity;
  /** When the server first said that its store fails; undefined if it works. */
  #refusedSince: number | undefined;
  /** Ends the question that is being asked: its answer may never come. */
  #interrupt = new AbortController();
  #wake: (() => void) | undefined;

  /** @throws {ProtocolError} "bad-layer", or "bad-reply-topic" of the name */
  constructor(options: WatcherOptions) {
    const { topics, name, layer = DEFAULT_LAYER } = options;
    this.name = name;
    this.#options = options;
    this.#layer = layer;
    this.#changesTopic = topics.changes(layer);
    this.#asker = new Asker({ topics, name });
  }

  /** The topics that the link must be subscribed to. */
  get subscriptions(): string[] {
    return [...this.#asker.subscriptions, this.#changesTopic];
  }

  /** What the link must be opened with. */
  handlersFor(link: Link): LinkHandlers {
    const asking = this.#asker.handlersFor(link);
    return {
      message: (message) => {
        if (message.topic === this.#changesTopic) {
          link.acknowledge([message]);
          this.#hear(message);
        } else {
          const before = this.#asker.serverState;
          asking.message(message);
          const after = this.#asker.serverState;
          if (before === "offline" && after !== before) this.#returned();
          else if (after === "offline" && after !== before) this.#disturb();
        }
      },
      up: () => {
        this.#connected = true;
        this.#returned();
      },
      down: (reason) => {
        this.#connected = false;
        this.#downReason = reason;
        this.#disturb();
      },
      failed: (error) => {
        this.#failure = error;
        asking.failed?.(error);
        this.#disturb();
      },
    };
  }

  /**
   * Watches, for as long as the consumer wants. It ends when the signal is
   * aborted. A broker or a server that is away is waited for, up to the
   * timeout. A consumer that is slow is not told each change, but gets them
   * summed up: what waits for it is bounded, here and in the server.
   *
   * @throws {NoAnswerError} if the server is away or silent for too long
   * @throws {RefusedError} if the server refuses to give the map
   * @throws {ProtocolError} if an answer is not one
   * @throws {LinkError} if the broker is away for too long, or for good
   * @throws {Error} if this watcher is watching already
   */
  async *watch(
    link: Link,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<WatchEvent, void, void> {
    if (this.#watching) throw new Error("Cannot watch: it is watching already");
    this.#watching = true;
    const disturb = () => this.#disturb();
    signal?.addEventListener("abort", disturb);
    try {
      while (!signal?.aborted) {
        const event = await this.#step(link, signal);
        if (event !== undefined) yield event;
      }
    } finally {
      signal?.removeEventListener("abort", disturb);
      this.#inbox.close();
      this.#startOver();
      this.#lastAsk = -Infinity;
      this.#watching = false;
    }
  }

  /** Does what is to be done next; undefined if nothing came of it for the consumer. */
  async #step(
    link: Link,
    signal: AbortSignal | undefined,
  ): Promise<WatchEvent | undefined> {
    // What disturbed so far has been seen; from here on it ends the waiting.
    const interrupt = this.#interrupt = new AbortController();
    if (this.#failure !== undefined) throw this.#failure;
    if (signal?.aborted) return undefined;
    if (this.#away) return await this.#waitForReturn(interrupt.signal);
    if (this.#mustAsk || !this.#inbox.isOpen) {
      return await this.#catchUp(link, interrupt.signal);
    }
    const part = this.#inbox.take();
    if (part !== undefined) return this.#follow(part);
    const { checkAfter = CHECK_AFTER } = this.#options;
    if (!await this.#stirred(checkAfter)) this.#mustAsk = true;
    return undefined;
  }

  /** True if there is nobody to ask. */
  get #away(): boolean {
    return !this.#connected || this.#asker.serverState === "offline";
  }

  async #waitForReturn(interrupted: AbortSignal): Promise<undefined> {
    const { timeout } = this.#options;
    await this.#rest(performance.now() + timeout, interrupted);
    if (interrupted.aborted) return;
    throw this.#connected ? this.#asker.silence(timeout) : new LinkError(
      "unreachable",
      `The broker is gone: ${this.#downReason}`,
      { hint: "Check that it is running, and the network." },
    );
  }

  /** Asks for the map, or for what changed since what is known. */
  async #catchUp(
    link: Link,
    interrupted: AbortSignal,
  ): Promise<WatchEvent | undefined> {
    const { region, timeout, askPause = ASK_PAUSE } = this.#options;
    await this.#rest(this.#lastAsk + askPause, interrupted);
    if (interrupted.aborted) return undefined;
    this.#lastAsk = performance.now();
    this.#mustAsk = true; // until there is an answer
    this.#inbox.open(); // before asking: nothing is missed in between
    const known = this.#follower;
    const since = known?.revision;
    try {
      const view = await this.#asker.ask(link, {
        layer: this.#layer,
        timeout,
        signal: interrupted,
        ...(region && { region }),
        ...(since !== undefined && { since }),
      });
      // Told to begin anew while the answer was on its way in.
      if (interrupted.aborted) return undefined;
      this.#refusedSince = undefined;
      return this.#learn(view as FullView, known);
    } catch (error) {
      if (interrupted.aborted || this.#mayPass(error)) return undefined;
      throw error;
    }
  }

  /** Takes an answer. */
  #learn(
    view: FullView,
    known: ChangesFollower | undefined,
  ): WatchEvent | undefined {
    const { revision, began } = view;
    if (known && (began !== known.began || revision < known.revision)) {
      this.#startOver();
      this.#lastAsk = -Infinity; // the question was spent on what is gone
      return undefined;
    }
    this.#follower = new ChangesFollower(view);
    this.#inbox.dropUpTo(revision);
    this.#mustAsk = false;
    return this.#eventOf(known ? "changes" : "snapshot", view, revision);
  }

  /** Takes a delta. */
  #follow(part: ChangesPart): WatchEvent | undefined {
    const follower = this.#follower!;
    const result = follower.take(part);
    if (result === "other-map") this.#startOver();
    else if (result === "gap") this.#mustAsk = true;
    if (typeof result === "string") return undefined;
    const { region } = this.#options;
    const cells = region === undefined ? result : cellsWithin(result, region);
    return this.#eventOf("changes", { ...part, cells }, follower.revision);
  }

  #eventOf(
    kind: WatchEvent["kind"],
    told: MapMoment & { readonly cells: ReadingBatch },
    revision: number,
  ): WatchEvent | undefined {
    const { time, staleAfter, cells } = told;
    if (kind === "changes" && cells.length === 0) return undefined;
    return {
      kind,
      layer: this.#layer,
      revision,
      time,
      ...(staleAfter !== undefined && { staleAfter }),
      cells,
    };
  }

  /** The server has another map than the one known: only all of it helps. */
  #startOver(): void {
    this.#follower = undefined;
    this.#mustAsk = true;
  }

  /** True if the server cannot keep readings just now, and has not for long. */
  #mayPass(error: unknown): boolean {
    if (!(error instanceof RefusedError && error.code === "store-failing")) {
      return false;
    }
    this.#refusedSince ??= performance.now();
    const patience = this.#follower === undefined ? 0 : this.#options.timeout;
    return performance.now() - this.#refusedSince < patience;
  }

  #hear({ payload, retain }: Incoming): void {
    if (retain || !this.#inbox.isOpen) return;
    try {
      const part = parseChanges(payload);
      if (part.layer === this.#layer) this.#inbox.add(part);
    } catch (error) {
      // Not from our server, or damaged: then the next one shows a gap.
      if (!(error instanceof ProtocolError)) throw error;
    }
    this.#wake?.();
  }

  /** Broker or server is there again: what came meanwhile is not known. */
  #returned(): void {
    this.#mustAsk = true;
    this.#disturb();
  }

  /** Ends whatever is being waited for. */
  #disturb(): void {
    this.#interrupt.abort();
    this.#wake?.();
  }

  /** Waits until then (of `performance.now()`), or until it is interrupted. */
  async #rest(until: number, interrupted: AbortSignal): Promise<void> {
    while (!interrupted.aborted) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.#stirred(left);
    }
  }

  /** Waits until something happens; false if nothing did for so many ms. */
  async #stirred(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), ms);
    this.#wake = () => resolve(true);
    try {
      return await promise;
    } finally {
      this.#wake = undefined;
      clearTimeout(timer);
    }
  }
}

/** What our servers answer, other than those of the original kind. */
type FullView = MapView & MapMoment & { readonly revision: number };
