/**
 * Watches the map: a snapshot, then every change.
 *
 * @module
 */
import type { Incoming, Link } from "../mqtt/link.ts";
import {
  ChangesFollower,
  DEFAULT_LAYER,
  type LayerDisplay,
  type MapMoment,
  parseChanges,
  ProtocolError,
  type ReadingBatch,
  type Region,
  sortedRegion,
} from "../protocol/mod.ts";
import { DeltaBuffer } from "./delta_buffer.ts";
import { cellsWithin, type MapView } from "./map_request.ts";
import {
  ServerWatch,
  type ServerWatchOptions,
  type WatchRequest,
} from "./server_watch.ts";

const DEFAULT_CHECK_AFTER_MS = 10_000;

/**
 * An event of a watch. A client that applies all events in order has the
 * server's map.
 *
 * A cell is stale if it was observed more than `staleAfter` before the `time`
 * of the last event with this cell. The server sends an event when cells become
 * stale, fresh or unknown, so do not age cells by a local clock. An unknown cell
 * (value below 0) is never stale.
 */
export interface WatchEvent {
  /** Whether `cells` are all cells of the region, or those that changed. */
  readonly kind: "snapshot" | "changes";
  /** The watched layer. */
  readonly layer: string;
  /** The revision of the map after this event. */
  readonly revision: number;
  /** The server's time when it read the map, ms since 1970. */
  readonly time: number;
  /**
   * Cells observed longer ago than this, before `time`, are stale, in ms.
   * Without it, no cell is stale.
   */
  readonly staleAfter?: number;
  /** Identifies the map, see `MapMoment.began`. */
  readonly began?: number;
  /** How the server wants the layer to be shown, as of its last reply. */
  readonly display?: LayerDisplay;
  /** Each with its time; a value below 0 is unknown. Owned by the receiver. */
  readonly cells: ReadingBatch;
}

/** Options of {@linkcode Watcher}. */
export interface WatcherOptions extends ServerWatchOptions {
  /** Default `default`. */
  readonly layer?: string;
  /** Only the cells of this region. Default: all. */
  readonly region?: Region;
  /**
   * Time without a delta after which the watcher requests what changed, in ms,
   * in case it missed one. Default 10,000.
   */
  readonly checkAfter?: number;
}

/**
 * Follows the map and never misses a change: after a missing delta and after
 * each reconnect it requests what changed.
 */
export class Watcher extends ServerWatch<WatchEvent, FullView> {
  protected readonly followed: readonly string[];
  readonly #layer: string;
  readonly #region: Region | undefined;
  readonly #changesTopic: string;
  readonly #deltas = new DeltaBuffer();
  /** The state of the client's copy; undefined before the first snapshot. */
  #follower: ChangesFollower | undefined;
  /** Of the last reply: deltas have none. */
  #display: LayerDisplay | undefined;

  /** @throws {ProtocolError} "bad-layer", or "bad-reply-topic" for the name */
  constructor(options: WatcherOptions) {
    super(options, DEFAULT_CHECK_AFTER_MS);
    const { topics, region, layer = DEFAULT_LAYER } = options;
    this.#layer = layer;
    this.#region = region && sortedRegion(region);
    this.#changesTopic = topics.changes(layer);
    this.followed = [this.#changesTopic];
  }

  protected get hasCopy(): boolean {
    return this.#follower !== undefined;
  }

  protected get isEmpty(): boolean {
    return this.#deltas.isEmpty;
  }

  protected receive({ topic, payload, retain }: Incoming): boolean {
    if (topic !== this.#changesTopic) return false;
    if (retain || !this.#deltas.isOpen) return true;
    try {
      const part = parseChanges(payload);
      if (part.layer === this.#layer) this.#deltas.add(part);
      // Too many: a request costs less than to store them.
      if (!this.#deltas.isOpen) this.mustRequest = true;
    } catch (error) {
      // From another sender, or damaged: then the next delta shows the gap.
      if (!(error instanceof ProtocolError)) throw error;
    }
    return true;
  }

  protected open(): void {
    this.#deltas.open();
  }

  /** Requests the map, or what changed since the revision of the copy. */
  protected async request(
    link: Link,
    options: WatchRequest,
  ): Promise<FullView> {
    const since = this.#follower?.revision;
    const view = await this.requester.request(link, {
      ...options,
      layer: this.#layer,
      ...(this.#region && { region: this.#region }),
      ...(since !== undefined && { since }),
    });
    return view as FullView;
  }

  protected applyReply(view: FullView): WatchEvent | undefined {
    const { revision, began } = view;
    const follower = this.#follower;
    if (
      follower !== undefined &&
      (began !== follower.began || revision < follower.revision)
    ) {
      this.#follower = undefined;
      this.requestAtOnce(); // all of the new map
      return undefined;
    }
    this.#follower = new ChangesFollower(view);
    this.#display = view.display;
    this.#deltas.dropUpTo(revision);
    this.mustRequest = !this.#deltas.isOpen;
    this.markCurrent();
    return this.#eventOf(follower ? "changes" : "snapshot", view, revision);
  }

  protected next(): WatchEvent | undefined {
    const part = this.#deltas.take()!;
    const follower = this.#follower!;
    const result = follower.receive(part);
    // Any client can publish a delta of another map: the reply to a request
    // for what changed, which is short, shows if the server has one.
    if (result === "other-map" || result === "gap") this.mustRequest = true;
    // A delta that changes nothing does not count: with a forged one the copy
    // may have a revision that the server has not reached.
    if (typeof result === "string") return undefined;
    this.markCurrent();
    const region = this.#region;
    const cells = region === undefined ? result : cellsWithin(result, region);
    return this.#eventOf("changes", { ...part, cells }, follower.revision);
  }

  protected discard(): void {
    this.#deltas.close();
    this.#follower = undefined;
  }

  #eventOf(
    kind: WatchEvent["kind"],
    { time, staleAfter, began, cells }: MapMoment & {
      readonly cells: ReadingBatch;
    },
    revision: number,
  ): WatchEvent | undefined {
    if (kind === "changes" && cells.length === 0) return undefined;
    return {
      kind,
      layer: this.#layer,
      revision,
      time,
      ...(staleAfter !== undefined && { staleAfter }),
      ...(began !== undefined && { began }),
      ...(this.#display !== undefined && { display: this.#display }),
      cells,
    };
  }
}

/** A reply on the current wire, which has these members. */
type FullView = MapView & MapMoment & { readonly revision: number };
