/**
 * One viewer of the live feed: its view, what it has received, and its socket.
 *
 * @module
 */
import {
  type CloseMessage,
  type HistoryPoint,
  MessageError,
  parseViewerMessage,
  type ServerMessage,
  type View,
} from "../../feed/messages.ts";
import type { HttpContext } from "../context.ts";
import type { MessageSocket } from "../listener/web_socket.ts";
import { type TickDeltas, TOO_LARGE, UNCHANGED } from "./deltas.ts";
import type { Exchange } from "../exchange.ts";
import { LatestList } from "./latest_list.ts";
import { type FeedLimits, MessageBudget, SendWindow } from "./limits.ts";
import type { SnapshotCursor, Snapshots } from "./snapshots.ts";
import type { ZoneCursor, ZoneFeed } from "./zone_feed.ts";

/** Minimum time between two `latest` messages. */
const LATEST_INTERVAL_MS = 250;
/** Minimum time between the starts of two snapshots. */
const SNAPSHOT_INTERVAL_MS = 100;
/** A snapshot without an acknowledgement for this time is started again. */
const SNAPSHOT_TIMEOUT_MS = 5000;
/** Buffered bytes above which status messages are not sent. */
const MAX_STATUS_BUFFER_BYTES = 256 * 1024;
/** Buffered bytes above which a viewer that sends pings is disconnected. */
const MAX_PING_BUFFER_BYTES = 1024 * 1024;

/** Options of {@linkcode Viewer}. */
export interface ViewerOptions {
  readonly context: HttpContext;
  readonly limits: FeedLimits;
  readonly snapshots: Snapshots;
  readonly zones: ZoneFeed;
  readonly historyOf: (layer: string) => readonly HistoryPoint[];
  readonly onSent: (bytes: number) => void;
  /** Schedules a tick: immediately if urgent, otherwise for the next deltas. */
  readonly schedule: (urgent: boolean) => void;
}

/** One tick of the feed, for all viewers. */
export interface Tick {
  /** The time at which the map is correct, ms since 1970. */
  readonly time: number;
  /** Monotonic time, in ms. */
  readonly at: number;
  /** Undefined if no deltas are due. */
  readonly deltas: TickDeltas | undefined;
  /** Returns true when parts of snapshots have used the time of this tick. */
  readonly isTimeUp: () => boolean;
}

/** The server's side of a client that views the map over a WebSocket. */
export class Viewer {
  readonly #socket: MessageSocket;
  readonly #exchange: Exchange;
  readonly #options: ViewerOptions;
  readonly #window: SendWindow;
  readonly #budget: MessageBudget;
  readonly #latest = new LatestList();
  /** What the viewer lacks of the zones. */
  readonly #zones: ZoneCursor;
  #latestSentAt = -Infinity;
  /** The last requested view, until its snapshot starts. */
  #requested: View | undefined;
  /** The current view. */
  #view: View | undefined;
  /** The position in the snapshot of that view, until all parts are sent. */
  #cursor: SnapshotCursor | undefined;
  /** The next snapshot must have this revision or a later one. */
  #minRevision = 0;
  /** When the last snapshot started; this and the next are monotonic, in ms. */
  #snapshotAt = -Infinity;
  /** When the last part was sent. */
  #partSentAt = 0;
  /** `OccupancyMap.identityOf` the layer in the last snapshot. */
  #identity = "";
  /** The revision of the viewer's cells. */
  #revision = 0;
  /** Between `#revision` and this revision nothing in the view has changed. */
  #unchangedUntil = 0;

  /**
   * @param socket open
   * @param exchange waits for the first view, and for acknowledgements
   */
  constructor(
    socket: MessageSocket,
    exchange: Exchange,
    options: ViewerOptions,
  ) {
    this.#socket = socket;
    this.#exchange = exchange;
    exchange.waitForClient();
    this.#options = options;
    this.#window = new SendWindow(options.limits);
    this.#budget = new MessageBudget(options.limits.messagesPerSecond);
    this.#zones = options.zones.join();
  }

  /**
   * Handles a message of the viewer; closes the socket if the message is
   * invalid.
   */
  receive(data: string | Uint8Array): void {
    if (!this.#socket.isOpen) return;
    if (!this.#budget.take()) {
      this.#fail("too-fast", "Too many messages per second. Send fewer.");
      return;
    }
    try {
      if (typeof data !== "string") {
        throw new MessageError("The message is binary: send text");
      }
      this.#handle(data);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#fail("bad-message", error.message);
    }
  }

  #handle(text: string): void {
    const message = parseViewerMessage(text);
    switch (message.type) {
      case "view":
        this.#requested = { layer: message.layer, region: message.region };
        break;
      case "got":
        if (!this.#window.acknowledge(message.frames)) {
          throw new MessageError(
            `Cannot acknowledge ${message.frames} frames: they were not sent on this connection`,
          );
        }
        break;
      case "ping": // says nothing about frames
        this.#answerPing(message.id);
        return;
    }
    this.#exchange.clientProgressed(Infinity);
    if (!this.#window.isEmpty) this.#exchange.waitForClient();
    this.#options.schedule(
      this.#requested !== undefined || this.#cursor !== undefined,
    );
  }

  #answerPing(id: number): void {
    if (this.#socket.bufferedAmount > MAX_PING_BUFFER_BYTES) {
      this.#fail(
        "too-slow",
        "The answers to pings are not read. Read them, or send fewer pings.",
      );
      return;
    }
    this.send({ type: "pong", id, time: this.#options.context.clock() });
  }

  /** Sends a message. */
  send(message: ServerMessage): void {
    this.#sendData(JSON.stringify(message));
  }

  /**
   * Sends a message that the next one replaces; skips it if much is buffered.
   */
  sendIfRoom(message: string): void {
    if (this.#socket.bufferedAmount <= MAX_STATUS_BUFFER_BYTES) {
      this.#sendData(message);
    }
  }

  /**
   * Sends a last message and closes the socket.
   *
   * @param code WebSocket close code (RFC 6455, 7.4)
   */
  close(code: number, message: CloseMessage): void {
    this.send(message);
    this.dispose();
    if (this.#socket.isOpen) this.#socket.close(code, message.code);
  }

  /** Frees the snapshot and the view. Call it when the socket has closed. */
  dispose(): void {
    this.#options.zones.leave(this.#zones);
    this.#leaveSnapshot();
    this.#requested = this.#view = undefined;
  }

  /**
   * Sends what fits into the send window.
   *
   * @returns true if more can be sent immediately
   */
  update(tick: Tick): boolean {
    this.#noteDeletion();
    this.#startSnapshot(tick.at);
    const hasMoreZones = this.#sendZones(tick);
    if (this.#cursor !== undefined) {
      return this.#sendParts(this.#cursor, tick) || hasMoreZones;
    }
    if (
      this.#view !== undefined && tick.deltas !== undefined && this.#hasRoom
    ) {
      this.#sendDelta(this.#view, tick.deltas);
      this.#sendLatest(this.#view, tick.at);
    }
    return hasMoreZones;
  }

  /** True if there is something to send and room for it. */
  get hasPending(): boolean {
    if (!this.#hasRoom) return false;
    return this.#zones.hasPending || this.#requested !== undefined ||
      this.#cursor !== undefined ||
      this.#view !== undefined &&
        (this.#unchangedUntil < this.#revisionOf(this.#view) ||
          this.#latest.changed);
  }

  get #hasRoom(): boolean {
    return this.#socket.isOpen &&
      this.#window.hasRoom &&
      this.#socket.bufferedAmount < this.#options.limits.bytesInFlight;
  }

  /** Starts the snapshot of the requested view; cancels a stalled one. */
  #startSnapshot(at: number): void {
    if (!this.#hasRoom) {
      if (
        this.#cursor !== undefined &&
        at - this.#partSentAt > SNAPSHOT_TIMEOUT_MS
      ) {
        this.#requestSnapshot();
        this.#leaveSnapshot();
      }
      return;
    }
    const view = this.#requested;
    if (view === undefined || at - this.#snapshotAt < SNAPSHOT_INTERVAL_MS) {
      return;
    }
    const { snapshots, historyOf } = this.#options;
    const { layer } = view;
    this.#leaveSnapshot();
    this.#requested = undefined;
    if (layer !== this.#view?.layer) {
      this.send({ type: "history", layer, points: historyOf(layer) });
    }
    this.#view = view;
    this.#cursor = snapshots.join(view, at, this.#minRevision);
    this.#identity = this.#cursor.snapshot.identity;
    this.#minRevision = 0;
    this.#partSentAt = this.#snapshotAt = at;
    this.#latest.clear();
  }

  /**
   * Sends states of zones; during a snapshot one message for each of its turns.
   *
   * @returns true if more can be sent immediately
   */
  #sendZones({ isTimeUp }: Tick): boolean {
    while (this.#hasRoom) {
      const text = this.#zones.next();
      if (text === undefined) return false;
      this.#sendFrame(text);
      if (this.#cursor !== undefined || isTimeUp()) return this.#hasRoom;
    }
    return false;
  }

  #sendParts(
    cursor: SnapshotCursor,
    { time, at, isTimeUp }: Tick,
  ): boolean {
    const { snapshot } = cursor;
    while (this.#hasRoom) {
      if (isTimeUp()) return true;
      this.#sendFrame(snapshot.take(cursor, time, isTimeUp));
      this.#partSentAt = at;
      if (!snapshot.isComplete(cursor)) continue;
      this.#revision = this.#unchangedUntil = snapshot.revision;
      this.#latest.add(snapshot.latest.cells);
      this.#sendLatest(this.#view!, at);
      this.#leaveSnapshot();
      return false;
    }
    return false;
  }

  #sendDelta(view: View, deltas: TickDeltas): void {
    const revision = this.#revisionOf(view);
    if (this.#unchangedUntil === revision) return;
    const delta = deltas.deltaFor({
      view,
      revision: this.#revision,
      unchangedUntil: this.#unchangedUntil,
    });
    if (delta === TOO_LARGE) {
      this.#requestSnapshot();
      return;
    }
    this.#unchangedUntil = revision;
    if (delta === UNCHANGED) return;
    this.#revision = revision;
    this.#latest.add(delta.cells);
    this.#sendFrame(delta.bytes);
  }

  #sendLatest({ layer }: View, at: number): void {
    if (
      !this.#latest.changed || at - this.#latestSentAt < LATEST_INTERVAL_MS
    ) return;
    this.#latestSentAt = at;
    const { context } = this.#options;
    const changes = this.#latest.take((x, y) => context.sourceOf(layer, x, y));
    this.sendIfRoom(JSON.stringify({ type: "latest", layer, changes }));
  }

  /** Sends a message that the viewer acknowledges. */
  #sendFrame(data: string | Uint8Array<ArrayBuffer>): void {
    this.#window.add(data.length);
    this.#exchange.waitForClient();
    this.#sendData(data);
  }

  #sendData(data: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#socket.isOpen) return;
    this.#options.onSent(data.length);
    this.#socket.send(data);
  }

  /**
   * Requests a snapshot if the layer of the view was deleted, or has an earlier
   * state: no delta says so.
   */
  #noteDeletion(): void {
    if (this.#view === undefined) return;
    const { map } = this.#options.context;
    if (map.identityOf(this.#view.layer) === this.#identity) return;
    this.#requestSnapshot();
    this.#leaveSnapshot();
  }

  /** Requests a new snapshot of the current view, at a later revision. */
  #requestSnapshot(): void {
    const view = this.#requested ??= this.#view;
    this.#minRevision = view === undefined ? 0 : this.#revisionOf(view);
  }

  #revisionOf({ layer }: View): number {
    return this.#options.context.map.revisionOf(layer);
  }

  #leaveSnapshot(): void {
    this.#cursor?.snapshot.leave(this.#cursor);
    this.#cursor = undefined;
  }

  #fail(code: string, message: string): void {
    this.close(1008, { type: "error", code, message });
  }
}
