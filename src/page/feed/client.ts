/**
 * The page's end of the live feed: a WebSocket that is made again whenever it is
 * lost. Uses what browsers have and Deno has too.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { Follower } from "./frame_sequence.ts";
import { decodeFrame, type Frame } from "../../feed/frames.ts";
import { inflateRaw } from "./inflate.ts";
import { ClockOffset } from "./clock_offset.ts";
import {
  type CloseMessage,
  type HelloMessage,
  type HistoryMessage,
  type LatestMessage,
  parseServerMessage,
  PROTOCOL_VERSION,
  roundView,
  type StatusMessage,
  type View,
  viewMessage,
} from "../../feed/messages.ts";

/** What comes over a {@linkcode LiveClient}; each is called in the order in which it came. */
export interface LiveEvents {
  /** There is a connection, the first or a new one: maybe with another server. */
  hello?(message: HelloMessage): void;
  status?(message: StatusMessage): void;
  latest?(message: LatestMessage): void;
  history?(message: HistoryMessage): void;
  /**
   * Cells of the view that was asked for last. A snapshot's part 1 begins a new
   * map, which is whole when `part` is `parts`.
   *
   * @returns resolves once they are dealt with, if not at once: until then the
   * server sends only a little more
   */
  frame?(frame: Frame): void | Promise<void>;
  /** All of the view has come: from now on it is live. */
  live?(): void;
  /**
   * How far what was told last was behind when it was dealt with, ms; while
   * nothing changes, how long a message takes.
   */
  lag?(ms: number): void;
  /** The connection is gone, for this reason; another one is being tried for. */
  lost?(reason: string): void;
  /** The server sends this viewer away and says why; it is tried again later. */
  refused?(message: CloseMessage): void;
}

/** How a {@linkcode LiveClient} goes about it; the defaults are right for a page. */
export interface LiveClientOptions {
  /** ms before a lost connection is made again, doubled each time. Default 250. */
  readonly retryAfter?: number;
  /** ms at the most. Default 10,000. */
  readonly retryAtMost?: number;
  /** ms between two pings. Default 1,000. */
  readonly pingEvery?: number;
  /** A connection over which nothing comes for so long is given up, ms. Default 10,000. */
  readonly silence?: number;
  /** 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

const DEFAULTS = {
  retryAfter: 250,
  retryAtMost: 10_000,
  pingEvery: 1000,
  silence: 10_000,
  random: Math.random,
} as const;

/** Follows the map of a server. */
export class LiveClient {
  readonly #url: string | URL;
  readonly #events: LiveEvents;
  readonly #options: Required<LiveClientOptions>;
  readonly #clock = new ClockOffset();
  #view: View | undefined;
  #connection: Connection | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Attempts since there was a connection. */
  #attempts = 0;
  #closed = false;

  /**
   * Connects at once, and again for as long as it is not closed.
   *
   * @param url `ws:` or `wss:`
   * @throws {SyntaxError} if the address cannot be one of a WebSocket
   */
  constructor(
    url: string | URL,
    events: LiveEvents,
    options: LiveClientOptions = {},
  ) {
    this.#url = url;
    this.#events = events;
    this.#options = { ...DEFAULTS, ...options };
    this.#connect();
  }

  /**
   * Asks for a layer, or a part of it; what was asked for before comes no more.
   *
   * @param region null for all of the layer; what is not whole is rounded outwards
   */
  view(layer: string, region: View["region"]): void {
    this.#view = roundView({ layer, region });
    this.#connection?.ask(this.#view);
  }

  /** The server's clock, ms since 1970, as far as that is known. */
  serverTime(): number {
    const now = Date.now();
    return this.#clock.serverTime(now) ?? now;
  }

  /** Ends it for good. Safe to call twice. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = undefined;
  }

  #connect(): void {
    const { pingEvery, silence } = this.#options;
    const connection = new Connection(new WebSocket(this.#url), {
      events: this.#events,
      clock: this.#clock,
      pingEvery,
      silence,
      opened: () => {
        this.#attempts = 0;
        if (this.#view !== undefined) connection.ask(this.#view);
      },
      ended: (reason, sentAway) => this.#again(reason, sentAway),
    });
    this.#connection = connection;
  }

  /** @param sentAway true if the server does not want us just now */
  #again(reason: string, sentAway: boolean): void {
    if (this.#closed) return;
    this.#connection = undefined;
    const { retryAfter, retryAtMost, random } = this.#options;
    const delay = sentAway
      ? retryAtMost
      : Math.min(retryAfter * 2 ** this.#attempts++, retryAtMost);
    // Many pages that lost one server do not come back at the same moment.
    this.#retry = setTimeout(
      () => this.#connect(),
      delay * (1 + random()) / 2,
    );
    this.#events.lost?.(reason);
  }
}

interface ConnectionOptions {
  readonly events: LiveEvents;
  readonly clock: ClockOffset;
  readonly pingEvery: number;
  readonly silence: number;
  /** The server has greeted. */
  readonly opened: () => void;
  /** Called once. */
  readonly ended: (reason: string, sentAway: boolean) => void;
}

/** One WebSocket, from its beginning to its end. */
class Connection {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #follower = new Follower();
  readonly #timer: ReturnType<typeof setInterval>;
  /** All that has come is dealt with when this resolves. */
  #work: Promise<void> = Promise.resolve();
  #frames = 0;
  #pings = 0;
  /** Whether a delta has come since the last answer to a ping. */
  #told = false;
  /** The ping that waits for its answer. */
  #ping: { id: number; sent: number } | undefined;
  #heard = performance.now();
  #farewell: CloseMessage | undefined;
  #ended = false;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#heard = performance.now();
      this.#work = this.#work.then(() => this.#take(data)).catch((error) => {
        this.#end(messageOf(error));
      });
    };
    socket.onerror = () => {}; // it closes then, too
    socket.onclose = ({ reason }) => {
      // What came before is told before.
      this.#work = this.#work.then(() =>
        this.#end(this.#farewell?.message ?? (reason || "not reachable"))
      );
    };
    this.#timer = setInterval(() => this.#watch(), options.pingEvery);
  }

  /** Asks for a view. */
  ask(view: View): void {
    this.#follower.ask(view);
    this.#send(viewMessage(view));
  }

  close(): void {
    this.#ended = true;
    this.#release();
  }

  async #take(data: unknown): Promise<void> {
    if (this.#ended) return;
    if (typeof data === "string") this.#takeText(data);
    else await this.#takeFrame(new Uint8Array(data as ArrayBuffer));
  }

  #takeText(text: string): void {
    const { events, clock, opened } = this.#options;
    const message = parseServerMessage(text);
    switch (message?.type) {
      case "hello":
        if (message.protocol !== PROTOCOL_VERSION) {
          throw new Error(
            "The server has another version: load the page again",
          );
        }
        clock.clear();
        this.#sendPing();
        events.hello?.(message);
        opened();
        break;
      case "pong":
        this.#takePong(message);
        break;
      case "gone":
      case "error":
        this.#farewell = message;
        if (message.code !== "stopping") events.refused?.(message);
        break;
      case "status":
        events.status?.(message);
        break;
      case "latest":
        events.latest?.(message);
        break;
      case "history":
        events.history?.(message);
        break;
    }
  }

  async #takeFrame(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { events, clock } = this.#options;
    const frame = await decodeFrame(bytes, inflateRaw);
    const verdict = this.#follower.judge(frame);
    if (verdict === "take") await events.frame?.(frame);
    if (this.#ended) return;
    this.#send(JSON.stringify({ type: "got", frames: ++this.#frames }));
    if (verdict === "hole") this.#askAgain();
    if (verdict !== "take") return;
    if (frame.kind === "snapshot") {
      if (frame.part === frame.parts) events.live?.();
      return;
    }
    this.#told = true;
    const now = clock.serverTime(Date.now());
    if (now !== undefined) events.lag?.(Math.max(0, now - frame.time));
  }

  #askAgain(): void {
    const { view } = this.#follower;
    if (view !== undefined) this.ask(view);
  }

  #takePong({ id, time }: { id: number; time: number }): void {
    if (this.#ping?.id !== id) return;
    this.#options.clock.add(this.#ping.sent, time, Date.now());
    this.#ping = undefined;
    const { oneWay } = this.#options.clock;
    if (!this.#told && oneWay !== undefined) {
      this.#options.events.lag?.(oneWay);
    }
    this.#told = false;
  }

  /** Once in a while: is the server still there, and how far away is it? */
  #watch(): void {
    if (performance.now() - this.#heard > this.#options.silence) {
      this.#end("nothing is heard of the server");
    } else if (this.#ping === undefined) this.#sendPing();
  }

  #sendPing(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#ping = { id: ++this.#pings, sent: Date.now() };
    this.#send(JSON.stringify({ type: "ping", id: this.#ping.id }));
  }

  #send(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    const sentAway = this.#farewell !== undefined &&
      this.#farewell.code !== "stopping";
    this.#options.ended(reason, sentAway);
  }

  #release(): void {
    clearInterval(this.#timer);
    // onclose stays: in Deno, a socket whose closing nobody awaits is told as a leak.
    this.#socket.onmessage = null;
    const { readyState } = this.#socket;
    if (readyState === WebSocket.OPEN || readyState === WebSocket.CONNECTING) {
      this.#socket.close(1000);
    }
  }
}
