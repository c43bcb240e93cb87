/**
 * What all watches of a server have in common: when they request, wait, and
 * end.
 *
 * @module
 */
import { delay, doneWithin } from "../common/async.ts";
import {
  type Incoming,
  type Link,
  LinkError,
  type LinkHandlers,
} from "../mqtt/link.ts";
import type { Topics } from "../protocol/mod.ts";
import { RefusedError } from "./errors.ts";
import { Requester } from "./requester.ts";

const DEFAULT_REQUEST_INTERVAL_MS = 1000;

/** Options of {@linkcode ServerWatch}. */
export interface ServerWatchOptions {
  readonly topics: Topics;
  /** The MQTT client id. The reply topic is derived from it. */
  readonly name: string;
  /** Maximum time without the server or the broker, in ms. */
  readonly timeout: number;
  /**
   * Time after which the watch requests what changed, in ms, in case it missed
   * a message.
   */
  readonly checkAfter?: number;
  /** Minimum time between two requests, in ms. Default 1,000. */
  readonly requestInterval?: number;
}

/** What a request of a watch needs. */
export interface WatchRequest {
  /** Maximum wait for the reply, in ms. */
  readonly timeout: number;
  /** Aborts the request. */
  readonly signal: AbortSignal;
}

/**
 * Follows a server: messages on topics, and requests for what may have been
 * missed, such as after each reconnect. Open the link with
 * {@linkcode ServerWatch.subscriptions} and
 * {@linkcode ServerWatch.handlersFor}.
 */
export abstract class ServerWatch<Event, Reply> {
  /** The MQTT client id. */
  readonly name: string;
  protected readonly requester: Requester;
  /** True if messages may have been missed. */
  protected mustRequest = true;
  readonly #options: ServerWatchOptions & { readonly checkAfter: number };
  #watching = false;
  #connected = false;
  #disconnectReason = "";
  #linkFailure: LinkError | undefined;
  #lastRequest = -Infinity;
  /** When the copy was last certainly up to date, of `performance.now()`. */
  #lastCurrent = -Infinity;
  /** Since when the store of the server fails; undefined if it works. */
  #storeFailingSince: number | undefined;
  /** Aborted to end the current wait or request. */
  #interrupt = new AbortController();
  #wake: (() => void) | undefined;

  /** @throws {ProtocolError} "bad-reply-topic" for the name */
  constructor(options: ServerWatchOptions, checkAfter: number) {
    const { topics, name } = options;
    this.name = name;
    this.#options = { checkAfter, ...options };
    this.requester = new Requester({ topics, name });
  }

  /** The topics to subscribe to. */
  get subscriptions(): string[] {
    return [...this.requester.subscriptions, ...this.followed];
  }

  /** Returns the handlers to open the link with. */
  handlersFor(link: Link): LinkHandlers {
    const requester = this.requester.handlersFor(link);
    return {
      message: (message) => {
        if (this.receive(message)) {
          link.acknowledge([message]);
          this.#wake?.();
          return;
        }
        const before = this.requester.serverState;
        requester.message(message);
        const after = this.requester.serverState;
        if (before === "offline" && after !== before) this.#onAvailable();
        else if (after === "offline" && after !== before) this.#interruptWait();
      },
      up: () => {
        this.#connected = true;
        this.#onAvailable();
      },
      down: (reason) => {
        this.#connected = false;
        this.#disconnectReason = reason;
        this.#interruptWait();
      },
      failed: (error) => {
        this.#linkFailure = error;
        requester.failed?.(error);
        this.#interruptWait();
      },
    };
  }

  /**
   * Watches until the consumer ends the loop or the signal is aborted. Waits up
   * to the timeout for a broker or server that is unavailable. A slow consumer
   * receives fewer events, each with the sum of several changes: the buffers in
   * the watch and in the server are bounded.
   *
   * @throws {NoAnswerError} if the server is offline or silent for too long
   * @throws {RefusedError} if the server rejects the request
   * @throws {LinkError} if the broker is unavailable for too long, or the
   * connection fails permanently
   * @throws {Error} if this object is already watching
   */
  async *watch(
    link: Link,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Event, void, void> {
    if (this.#watching) {
      throw new Error("Cannot watch: this watcher is already watching");
    }
    this.#watching = true;
    const onAbort = () => this.#interruptWait();
    signal?.addEventListener("abort", onAbort);
    try {
      while (!signal?.aborted) {
        const event = await this.#nextEvent(link, signal);
        if (event !== undefined) yield event;
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.discard();
      this.requestAtOnce();
      this.#watching = false;
    }
  }

  /** The filters of the messages to follow. */
  protected abstract readonly followed: readonly string[];
  /** True if the consumer has a copy: after the first reply. */
  protected abstract readonly hasCopy: boolean;
  /** True if {@linkcode next} returns nothing. */
  protected abstract readonly isEmpty: boolean;
  /**
   * Stores a message to follow.
   *
   * @returns false if it is not one
   */
  protected abstract receive(message: Incoming): boolean;
  /** Stores messages from now on, so that none is missed. */
  protected abstract open(): void;
  /** Sends a request and waits for the reply. */
  protected abstract request(link: Link, options: WatchRequest): Promise<Reply>;
  /**
   * Applies a reply to the last request.
   *
   * @returns the event for the consumer; undefined if there is none
   */
  protected abstract applyReply(reply: Reply): Event | undefined;
  /** Applies the next message, which may make no event. */
  protected abstract next(): Event | undefined;
  /** Drops the copy, and all messages. */
  protected abstract discard(): void;

  /** Call when the copy is certainly up to date. */
  protected markCurrent(): void {
    this.#lastCurrent = performance.now();
  }

  /** Requests without the minimum time since the last request. */
  protected requestAtOnce(): void {
    this.mustRequest = true;
    this.#lastRequest = -Infinity;
  }

  /** Performs the next step of the watch, which may return no event. */
  async #nextEvent(
    link: Link,
    signal: AbortSignal | undefined,
  ): Promise<Event | undefined> {
    // Earlier interrupts are handled by the lines below; later ones abort a
    // wait.
    const interrupt = this.#interrupt = new AbortController();
    if (this.#linkFailure !== undefined) throw this.#linkFailure;
    if (signal?.aborted) return undefined;
    if (!this.#connected || this.requester.serverState === "offline") {
      return await this.#waitForServer(interrupt.signal);
    }
    if (this.mustRequest) return await this.#catchUp(link, interrupt.signal);
    if (!this.isEmpty) return this.next();
    const { checkAfter } = this.#options;
    const remaining = this.#lastCurrent + checkAfter - performance.now();
    if (remaining <= 0 || !await this.#waitForMessage(remaining)) {
      this.mustRequest = true;
    }
    return undefined;
  }

  /** @throws {LinkError | NoAnswerError} after the timeout */
  async #waitForServer(interrupted: AbortSignal): Promise<undefined> {
    const { timeout } = this.#options;
    await this.#waitUntil(performance.now() + timeout, interrupted);
    if (interrupted.aborted) return;
    throw this.#connected
      ? this.requester.noAnswerError(timeout)
      : new LinkError(
        "unreachable",
        `Disconnected from the broker: ${this.#disconnectReason}`,
        { hint: "Check that the broker runs and that the network works." },
      );
  }

  /** Requests what may have been missed. */
  async #catchUp(
    link: Link,
    interrupted: AbortSignal,
  ): Promise<Event | undefined> {
    const { timeout, requestInterval = DEFAULT_REQUEST_INTERVAL_MS } =
      this.#options;
    await this.#waitUntil(this.#lastRequest + requestInterval, interrupted);
    if (interrupted.aborted) return undefined;
    this.#lastRequest = performance.now();
    this.open(); // before the request, so that no message is missed
    try {
      const reply = await this.request(link, { timeout, signal: interrupted });
      // Interrupted between the arrival of the reply and now.
      if (interrupted.aborted) return undefined;
      this.#storeFailingSince = undefined;
      return this.applyReply(reply);
    } catch (error) {
      if (interrupted.aborted || this.#isTemporary(error)) return undefined;
      throw error;
    }
  }

  /** Returns true if the store fails, but not for longer than the timeout. */
  #isTemporary(error: unknown): boolean {
    if (!(error instanceof RefusedError && error.code === "store-failing")) {
      return false;
    }
    this.#storeFailingSince ??= performance.now();
    const limit = this.hasCopy ? this.#options.timeout : 0;
    return performance.now() - this.#storeFailingSince < limit;
  }

  /** Called when broker and server are available again: messages were missed. */
  #onAvailable(): void {
    this.mustRequest = true;
    this.#interruptWait();
  }

  #interruptWait(): void {
    this.#interrupt.abort();
    this.#wake?.();
  }

  /** @param time until when to wait, of `performance.now()` */
  async #waitUntil(time: number, interrupted: AbortSignal): Promise<void> {
    const ms = time - performance.now();
    if (ms > 0) await delay(ms, interrupted);
  }

  /** Waits for a message or an interrupt. Returns false on a timeout. */
  async #waitForMessage(ms: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    try {
      return await doneWithin(promise, ms);
    } finally {
      this.#wake = undefined;
    }
  }
}
