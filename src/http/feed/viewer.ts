import type { HttpContext } from "../context.ts";
import { NOTHING, TOO_MUCH, type TurnDeltas } from "./deltas.ts";
import { Flow } from "./flow.ts";
import { LatestList } from "./latest.ts";
import type { LiveLimits } from "./limits.ts";
import {
  type FarewellMessage,
  MessageError,
  parseViewerMessage,
  type ServerMessage,
  type View,
} from "../../feed/messages.ts";
import type { SnapshotCursor, Snapshots } from "./snapshots.ts";

/** The latest changes are told no more often than this, ms. */
const LATEST_INTERVAL = 250;
/** A viewer gets no more than one snapshot begun in so long, ms. */
const SNAPSHOT_INTERVAL = 100;
/** A viewer that takes nothing of its snapshot for so long gets another one, ms. */
const STALLED = 5000;
/** Text that waits to be sent, beyond which status messages are left out, bytes. */
const TEXT_WAITING = 256 * 1024;
/** Text that waits, beyond which a viewer that goes on asking is sent away, bytes. */
const MOST_WAITING = 8 * 1024 * 1024;

/** What a viewer needs of the feed. */
export interface ViewerOptions {
  readonly context: HttpContext;
  readonly limits: LiveLimits;
  readonly snapshots: Snapshots;
  /** Sends the history of a layer. */
  readonly welcome: (viewer: Viewer, layer: string) => void;
  /** There may be something to send; parts of a snapshot, if it is urgent. */
  readonly poke: (urgent: boolean) => void;
}

/** One turn of the feed, for all viewers. */
export interface Turn {
  /** The server's clock, at which the map is right. */
  readonly time: number;
  /** ms, of a clock that nobody sets. */
  readonly at: number;
  /** Undefined if it is not yet time for deltas. */
  readonly deltas: TurnDeltas | undefined;
  /** Whether parts have taken enough of this turn. */
  readonly enough: () => boolean;
}

/** Who looks at the map over one WebSocket. */
export class Viewer {
  readonly #socket: WebSocket;
  readonly #options: ViewerOptions;
  readonly #flow: Flow;
  readonly #latest = new LatestList();
  #latestTold = -Infinity;
  /** What it asked for last, if it has not begun to get that. */
  #wanted: View | undefined;
  #view: View | undefined;
  /** Where it is in its snapshot, until it has all of it. */
  #cursor: SnapshotCursor | undefined;
  /** The revision that its next snapshot must have at the least. */
  #least = 0;
  /** When its snapshot was begun. */
  #begun = -Infinity;
  /** When it last got a part, or began. */
  #moved = 0;
  /** The revision that it knows of. */
  #told = 0;
  /** Nothing in its view has changed since `told` up to here. */
  #seen = 0;
  /** Messages that it may still send. */
  #allowance: number;
  #refilled = performance.now();

  /** @param socket open */
  constructor(socket: WebSocket, options: ViewerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#flow = new Flow(options.limits);
    this.#allowance = options.limits.messagesPerSecond;
  }

  /** Takes a message of the viewer: text, or what is none. */
  receive(data: unknown): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#allow()) {
      this.#refuse("too-fast", "Too many messages in a second: send fewer");
      return;
    }
    try {
      if (typeof data !== "string") {
        throw new MessageError("A message is binary; viewers send text");
      }
      this.#take(data);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#refuse("bad-message", error.message);
    }
  }

  #take(text: string): void {
    const message = parseViewerMessage(text);
    switch (message.type) {
      case "view":
        this.#wanted = { layer: message.layer, region: message.region };
        break;
      case "got":
        if (!this.#flow.got(message.frames)) {
          throw new MessageError(
            `${message.frames} frames cannot have been got: count those of this connection`,
          );
        }
        break;
      case "ping":
        if (this.#socket.bufferedAmount > MOST_WAITING) {
          this.#refuse("too-slow", "What is asked for is not read: read it");
          return;
        }
        this.send({
          type: "pong",
          id: message.id,
          time: this.#options.context.clock(),
        });
        return;
    }
    this.#options.poke(
      this.#wanted !== undefined || this.#cursor !== undefined,
    );
  }

  /** Sends a message for sure. */
  send(message: ServerMessage): void {
    this.#send(JSON.stringify(message));
  }

  /** Sends a message, unless much waits already: another like it will come. */
  sendIfRoom(message: string): void {
    if (this.#socket.bufferedAmount <= TEXT_WAITING) this.#send(message);
  }

  /** Says why, and closes. */
  close(code: number, farewell: FarewellMessage): void {
    this.send(farewell);
    this.forget();
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.close(code, farewell.code);
    }
  }

  /** It is gone: nothing is kept for it. */
  forget(): void {
    this.#leave();
    this.#wanted = this.#view = undefined;
  }

  /**
   * Sends what there is room for.
   *
   * @returns whether there is more to send at once
   */
  step(turn: Turn): boolean {
    this.#begin(turn.at);
    if (this.#cursor !== undefined) {
      return this.#sendParts(this.#cursor, turn);
    }
    if (this.#view !== undefined && turn.deltas !== undefined && this.#open) {
      this.#sendDelta(this.#view, turn.deltas);
      this.#tellLatest(this.#view, turn.at);
    }
    return false;
  }

  /** Whether there is something that it could be told now. */
  get behind(): boolean {
    if (!this.#open) return false;
    return this.#wanted !== undefined || this.#cursor !== undefined ||
      this.#view !== undefined &&
        (this.#seen < this.#options.context.map.revision || this.#latest.dirty);
  }

  get #open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN && this.#flow.open &&
      this.#socket.bufferedAmount < this.#options.limits.bytesUnderWay;
  }

  /** Begins with what was asked for, or again with what stood still for too long. */
  #begin(at: number): void {
    if (!this.#open) {
      if (this.#cursor !== undefined && at - this.#moved > STALLED) {
        this.#startAgain();
        this.#leave();
      }
      return;
    }
    const view = this.#wanted;
    if (view === undefined || at - this.#begun < SNAPSHOT_INTERVAL) return;
    const { snapshots, welcome } = this.#options;
    this.#leave();
    this.#wanted = undefined;
    if (view.layer !== this.#view?.layer) welcome(this, view.layer);
    this.#view = view;
    this.#cursor = snapshots.join(view, at, this.#least);
    this.#least = 0;
    this.#moved = this.#begun = at;
    this.#latest.clear();
  }

  #sendParts(
    cursor: SnapshotCursor,
    { time, at, enough }: Turn,
  ): boolean {
    const { snapshot } = cursor;
    while (this.#open) {
      if (enough()) return true;
      this.#sendFrame(snapshot.take(cursor, time, enough));
      this.#moved = at;
      if (!snapshot.isComplete(cursor)) continue;
      this.#told = this.#seen = snapshot.revision;
      this.#latest.add(snapshot.latest.cells);
      this.#tellLatest(this.#view!, at);
      this.#leave();
      return false;
    }
    return false;
  }

  #sendDelta(view: View, deltas: TurnDeltas): void {
    const { revision } = this.#options.context.map;
    if (this.#seen === revision) return;
    const delta = deltas.of({ view, told: this.#told, seen: this.#seen });
    if (delta === TOO_MUCH) {
      this.#startAgain();
      return;
    }
    this.#seen = revision;
    if (delta === NOTHING) return;
    this.#told = revision;
    this.#latest.add(delta.cells);
    this.#sendFrame(delta.bytes);
  }

  #tellLatest(view: View, at: number): void {
    if (!this.#latest.dirty || at - this.#latestTold < LATEST_INTERVAL) return;
    this.#latestTold = at;
    const { layer } = view;
    const { context } = this.#options;
    const changes = this.#latest.take((x, y) => context.sourceOf(layer, x, y));
    this.sendIfRoom(JSON.stringify({ type: "latest", layer, changes }));
  }

  #sendFrame(bytes: Uint8Array<ArrayBuffer>): void {
    this.#flow.sent(bytes.length);
    this.#send(bytes);
  }

  #send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#options.context.viewers.sentBytes += data.length;
    this.#socket.send(data);
  }

  /** It needs a snapshot, newer than any that there is. */
  #startAgain(): void {
    this.#wanted ??= this.#view;
    this.#least = this.#options.context.map.revision;
  }

  #leave(): void {
    this.#cursor?.snapshot.leave(this.#cursor);
    this.#cursor = undefined;
  }

  #refuse(code: string, message: string): void {
    this.close(1008, { type: "error", code, message });
  }

  /** Takes one message off the allowance, which fills up with time. */
  #allow(): boolean {
    const { messagesPerSecond } = this.#options.limits;
    const now = performance.now();
    const more = (now - this.#refilled) / 1000 * messagesPerSecond;
    this.#refilled = now;
    this.#allowance = Math.min(this.#allowance + more, messagesPerSecond);
    if (this.#allowance < 1) return false;
    this.#allowance--;
    return true;
  }
}
