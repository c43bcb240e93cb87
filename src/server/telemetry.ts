/**
 * Counts and durations of a server, and the listeners that receive them.
 *
 * @module
 */
import { LimitCounts } from "../common/limit_counts.ts";
import type { Incoming } from "../mqtt/link.ts";

/** Counts since the server started. They never decrease. */
export interface Stats {
  /** Messages with readings, over MQTT and HTTP, also refused ones. */
  messages: number;
  /** Bytes of the payloads of these messages. */
  bytes: number;
  /** Readings that are now the value of their cell, new or repeated. */
  accepted: number;
  /** Readings that changed a cell. */
  changed: number;
  /** The same by layer of the map. */
  readonly changedByLayer: Map<string, number>;
  /** Cells that were removed because they were unknown for long. */
  removedCells: number;
  /** Requests answered over MQTT, errors included. */
  requests: number;
  /** Refused readings and payloads by reason. */
  readonly refused: Map<string, number>;
  /** What was refused because of a limit, by limit; not readings. */
  readonly limited: LimitCounts;
}

/** Receives the duration of a commit, in ms, and its number of readings. */
export type CommitListener = (ms: number, readings: number) => void;

/** Receives the time from a request's arrival to its reply, in ms. */
export type RequestListener = (ms: number) => void;

/** Counts and measures the work of a server. */
export class Telemetry {
  readonly stats: Stats;
  /** Called after each commit. */
  onCommit: CommitListener | undefined;
  /**
   * Called when the broker has acknowledged a reply. Only requests that arrive
   * while it is set are measured.
   */
  onReply: RequestListener | undefined;
  readonly #arrivals = new WeakMap<Incoming, number>();
  readonly #observers = new Set<() => void>();

  /** @param limited counts what limits refuse, also those of other parts */
  constructor(limited: LimitCounts = new LimitCounts()) {
    this.stats = {
      messages: 0,
      bytes: 0,
      accepted: 0,
      changed: 0,
      changedByLayer: new Map(),
      removedCells: 0,
      requests: 0,
      refused: new Map(),
      limited,
    };
  }

  /**
   * Counts a message with readings. Over HTTP: not if the server could not
   * handle it, because its sender sends it again.
   *
   * @param bytes the length of its payload
   */
  countMessage(bytes: number): void {
    this.countMessages(1, bytes);
  }

  /** Counts messages with readings. */
  countMessages(count: number, bytes: number): void {
    this.stats.messages += count;
    this.stats.bytes += bytes;
  }

  /** Counts readings of a layer that are now the value of their cell. */
  countAccepted(layer: string, changed: number, renewed: number): void {
    const { stats } = this;
    const { changedByLayer } = stats;
    stats.accepted += changed + renewed;
    stats.changed += changed;
    changedByLayer.set(layer, (changedByLayer.get(layer) ?? 0) + changed);
  }

  /** Removes the counts of a layer that was deleted. */
  removeLayer(layer: string): void {
    this.stats.changedByLayer.delete(layer);
  }

  /** Counts refused readings or payloads. */
  countRefused(code: string, count: number): void {
    const { refused } = this.stats;
    refused.set(code, (refused.get(code) ?? 0) + count);
  }

  /** Call when a request arrives. */
  requestArrived(request: Incoming): void {
    if (this.onReply === undefined) return;
    this.#arrivals.set(request, performance.now());
  }

  /** Call when the broker has acknowledged the reply to a request. */
  replySent(request: Incoming): void {
    const arrival = this.#arrivals.get(request);
    if (arrival !== undefined) this.onReply?.(performance.now() - arrival);
  }

  /**
   * Calls a listener after the map, the link or the store has changed, at most
   * once per commit. The listener must be fast and must not throw.
   *
   * @returns removes the listener; safe to call twice
   */
  observe(listener: () => void): () => void {
    const observer = () => listener(); // distinct if added twice
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Calls the listeners of {@linkcode observe}. */
  notify(): void {
    for (const observer of this.#observers) observer();
  }
}
