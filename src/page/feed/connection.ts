/**
 * One WebSocket connection to the live feed. It does not reconnect.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { decodeFrame, type Frame } from "../../feed/frames.ts";
import {
  type CloseMessage,
  FEED_PROTOCOL_VERSION,
  type HelloMessage,
  type HistoryMessage,
  type LatestMessage,
  parseServerMessage,
  type PongMessage,
  type StatusMessage,
  type View,
  viewMessage,
} from "../../feed/messages.ts";
import type { ZonesMessage } from "../../feed/zone_messages.ts";
import type { ClockOffset } from "./clock_offset.ts";
import { FrameSequence } from "./frame_sequence.ts";
import { inflateRaw } from "./inflate.ts";

/** The reason if the browser does not know more. */
export const NO_SERVER = "Cannot reach the server";

/**
 * Callbacks for the messages of the live feed, called in the order of the
 * messages.
 */
export interface LiveEvents {
  /**
   * Called when a connection is established. After a reconnect it may be
   * another server.
   */
  onHello?(message: HelloMessage): void;
  onStatus?(message: StatusMessage): void;
  onLatest?(message: LatestMessage): void;
  onHistory?(message: HistoryMessage): void;
  /** Called with the states of zones. They are acknowledged, as frames are. */
  onZones?(message: ZonesMessage): void;
  /**
   * Called with cells of the current view. Part 1 of a snapshot starts a new
   * map, which is complete when `part` equals `parts`.
   *
   * @returns a promise that resolves when the frame is applied. Then the client
   * acknowledges the frame; the server limits unacknowledged frames
   */
  onFrame?(frame: Frame): void | Promise<void>;
  /** Called when a snapshot is complete. From now on the view is live. */
  onLive?(): void;
  /**
   * Called with the delay from the server to the applied delta, in ms; while
   * there are no deltas, with the delay of a message.
   */
  onLag?(ms: number): void;
  /** Called when the connection is lost. The client reconnects. */
  onLost?(reason: string): void;
  /**
   * Called when the server rejects this viewer, or has another version than the
   * page (`other-version`), before `onLost`.
   */
  onRefused?(message: CloseMessage): void;
}

/** Options of {@linkcode Connection}. */
export interface ConnectionOptions {
  readonly events: LiveEvents;
  readonly clock: ClockOffset;
  readonly pingIntervalMs: number;
  /** The connection ends after this time without a message. */
  readonly silenceTimeoutMs: number;
  /** Called after `hello`. */
  readonly onOpen: () => void;
  /** Called once. `refused` is true if the server rejects this viewer. */
  readonly onEnd: (reason: string, refused: boolean) => void;
}

/** A connection: decodes and acknowledges messages, and measures the delay. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #options: ConnectionOptions;
  readonly #sequence = new FrameSequence();
  readonly #timer: ReturnType<typeof setInterval>;
  /** Resolves when all messages that were received are handled. */
  #work: Promise<void> = Promise.resolve();
  #frames = 0;
  #pings = 0;
  /** Whether a delta was applied since the last pong. */
  #applied = false;
  /** The ping that has no answer yet. */
  #ping: { id: number; sent: number } | undefined;
  #lastMessage = performance.now();
  #closeMessage: CloseMessage | undefined;
  #ended = false;

  constructor(socket: WebSocket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#lastMessage = performance.now();
      this.#work = this.#work.then(() => this.#handle(data)).catch((error) => {
        this.#end(messageOf(error));
      });
    };
    socket.onerror = () => {}; // onclose follows
    socket.onclose = ({ reason }) => {
      // After the messages that were received before.
      this.#work = this.#work.then(() =>
        this.#end(
          this.#closeMessage?.message ?? (reason || NO_SERVER),
        )
      );
    };
    this.#timer = setInterval(() => this.#check(), options.pingIntervalMs);
  }

  /** Requests a view. */
  request(view: View): void {
    this.#sequence.start(view);
    this.#send(viewMessage(view));
  }

  /** Closes the connection without calling `onEnd`. */
  close(): void {
    this.#ended = true;
    this.#release();
  }

  async #handle(data: unknown): Promise<void> {
    if (this.#ended) return;
    if (typeof data === "string") this.#handleText(data);
    else await this.#handleFrame(new Uint8Array(data as ArrayBuffer));
  }

  #handleText(text: string): void {
    const { events, clock, onOpen } = this.#options;
    const message = parseServerMessage(text);
    switch (message?.type) {
      case "hello":
        if (message.protocol !== FEED_PROTOCOL_VERSION) {
          this.#refuse({
            type: "error",
            code: "other-version",
            message:
              `The server has version ${message.version}, this page has another one. Reload the page.`,
          });
          return;
        }
        clock.clear();
        this.#sendPing();
        events.onHello?.(message);
        onOpen();
        break;
      case "pong":
        this.#handlePong(message);
        break;
      case "gone":
      case "error":
        this.#closeMessage = message;
        if (isRefusal(message)) events.onRefused?.(message);
        break;
      case "status":
        events.onStatus?.(message);
        break;
      case "latest":
        events.onLatest?.(message);
        break;
      case "history":
        events.onHistory?.(message);
        break;
      case "zones":
        events.onZones?.(message);
        this.#acknowledge();
        break;
    }
  }

  /** Ends the connection, because this page cannot use it. */
  #refuse(message: CloseMessage): void {
    this.#closeMessage = message;
    this.#options.events.onRefused?.(message);
    this.#end(message.message);
  }

  async #handleFrame(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { events, clock } = this.#options;
    const frame = await decodeFrame(bytes, inflateRaw);
    const action = this.#sequence.check(frame);
    if (action === "apply") await events.onFrame?.(frame);
    if (this.#ended) return;
    this.#acknowledge();
    if (action === "gap") this.#requestAgain();
    if (action !== "apply") return;
    if (frame.kind === "snapshot") {
      if (frame.part === frame.parts) events.onLive?.();
      return;
    }
    this.#applied = true;
    const now = clock.serverTime(Date.now());
    if (now !== undefined) events.onLag?.(Math.max(0, now - frame.time));
  }

  #acknowledge(): void {
    this.#send(JSON.stringify({ type: "got", frames: ++this.#frames }));
  }

  #requestAgain(): void {
    const { view } = this.#sequence;
    if (view !== undefined) this.request(view);
  }

  #handlePong({ id, time }: PongMessage): void {
    if (this.#ping?.id !== id) return;
    const { clock, events } = this.#options;
    clock.add(this.#ping.sent, time, Date.now());
    this.#ping = undefined;
    if (!this.#applied && clock.oneWay !== undefined) {
      events.onLag?.(clock.oneWay);
    }
    this.#applied = false;
  }

  /** Ends a silent connection, or sends a ping if none is pending. */
  #check(): void {
    const { silenceTimeoutMs } = this.#options;
    if (performance.now() - this.#lastMessage > silenceTimeoutMs) {
      this.#end(`No message from the server within ${silenceTimeoutMs} ms`);
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
    const message = this.#closeMessage;
    this.#options.onEnd(reason, message !== undefined && isRefusal(message));
  }

  #release(): void {
    clearInterval(this.#timer);
    // Keep onclose: Deno reports a socket that closes without it as a leak.
    this.#socket.onmessage = null;
    const { readyState } = this.#socket;
    if (readyState === WebSocket.OPEN || readyState === WebSocket.CONNECTING) {
      this.#socket.close(1000);
    }
  }
}

/** Whether the server rejected this viewer. Otherwise it is shutting down. */
function isRefusal({ code }: CloseMessage): boolean {
  return code !== "stopping";
}
