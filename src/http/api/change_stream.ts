/**
 * The events of one client of `GET /api/v1/changes`.
 *
 * @module
 */
import { type CellColumns, newColumns } from "../../feed/columns.ts";
import type { Region } from "../../grid/mod.ts";
import type { Selection } from "../cell_columns.ts";
import type { HttpContext } from "../context.ts";
import type { Exchange } from "../exchange.ts";
import type { FairTurns } from "../fair_turns.ts";
import { LayerReading, readFew } from "../layer_reading.ts";
import { type Limits, SMALL_RESPONSE_CELLS } from "../limits.ts";
import { writeJsonRows } from "./cell_rows.ts";
import { momentAt, revisionId } from "./map_moment.ts";

/** Minimum time between two deltas, so that a delta combines many changes. */
const MIN_DELTA_INTERVAL_MS = 100;
/**
 * After this time without an event, a comment is sent to keep the stream open.
 */
const HEARTBEAT_INTERVAL_MS = 15_000;
/** Maximum number of cells of an event. */
const MAX_EVENT_CELLS = 10_000;
/** Delay before a client reconnects, sent as `retry`. */
const RECONNECT_DELAY_MS = 2000;

const encoder = new TextEncoder();

/** Options of {@linkcode ChangeStream}. */
export interface ChangeStreamOptions {
  readonly server: HttpContext;
  readonly limits: Limits;
  readonly turns: FairTurns;
  readonly exchange: Exchange;
  /** Aborted when the client no longer has access. */
  readonly access: AbortSignal;
  readonly layer: string;
  readonly region: Region | undefined;
  /** The revision that the client has; 0 for none. */
  readonly since: number;
}

/** The changes between two revisions. */
interface Delta {
  readonly from: number;
  readonly to: number;
  /** The time at which the map was correct, ms since 1970. */
  readonly time: number;
  /** `MapMoment.began` of the layer. */
  readonly began: number | undefined;
  /** The number of cells. */
  readonly count: number;
  /** Returns the next cells, at most {@linkcode MAX_EVENT_CELLS}. */
  next(): CellColumns | Promise<CellColumns>;
}

/**
 * Produces the events of one client. Nothing is queued: changes are read from
 * the map when the client reads the next event.
 */
export class ChangeStream {
  readonly #options: ChangeStreamOptions;
  readonly #server: HttpContext;
  readonly #waiter: ChangeWaiter;
  /** The `to` of the last delta: the `from` of the next one. */
  #sentRevision: number;
  /** From `#sentRevision` to this revision, nothing has changed for the client. */
  #readRevision: number;
  /** `MapMoment.began` of the layer. */
  #began: number | undefined;
  /** `OccupancyMap.identityOf` the layer. */
  #identity: string;
  #isFirst = true;
  #sentAt = -Infinity;
  /** The events of the current delta. */
  #events: AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> | undefined;
  /** Frees what a large delta holds. */
  #release = () => {};

  constructor(options: ChangeStreamOptions) {
    const { server, layer, since, access } = options;
    this.#options = options;
    this.#server = server;
    this.#sentRevision = server.map.sinceOf(layer, since);
    this.#readRevision = this.#sentRevision;
    this.#began = server.map.beganOf(layer);
    this.#identity = server.map.identityOf(layer);
    this.#waiter = new ChangeWaiter(server, [server.signal, access]);
  }

  /**
   * Waits for the next event and returns it; undefined when the server ends or
   * the client no longer has access.
   *
   * @throws {SnapshotLostError} if the map changed faster than a large delta
   * was read: the client must connect again
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      if (this.#options.access.aborted) return undefined;
      const event = (await this.#events?.next())?.value;
      if (event !== undefined) return event;
      this.#events = undefined;
      this.#release();
      if (this.#waiter.closed) return undefined;
      await this.#waiter.pause(
        this.#sentAt + MIN_DELTA_INTERVAL_MS - performance.now(),
      );
      const delta = await this.#read();
      if (this.#waiter.closed) {
        this.#release();
        return undefined;
      }
      if (delta === undefined) {
        if (await this.#waiter.waitForChange(HEARTBEAT_INTERVAL_MS)) continue;
        if (!this.#waiter.closed) return encoder.encode(":\n\n");
      } else {
        this.#sentAt = performance.now();
        if (delta === "overloaded") continue;
        this.#events = this.#write(delta, this.#isFirst);
        this.#sentRevision = delta.to;
        this.#isFirst = false;
      }
    }
  }

  /** Ends the stream; {@linkcode ChangeStream.next} returns undefined. */
  close(): void {
    this.#waiter.close();
    this.#release();
  }

  /**
   * Reads the next delta from the map.
   *
   * @returns undefined if nothing has changed; "overloaded" if it is large and
   * too many large responses are sent at the same time
   */
  async #read(): Promise<Delta | undefined | "overloaded"> {
    const { limits: { largeResponses }, exchange } = this.#options;
    const small = await this.#run(() => this.#readSmall());
    if (small !== "large") return small;
    const share = await largeResponses.take(exchange, 1);
    if (share === undefined) return "overloaded";
    this.#release = () => share.release();
    if (this.#waiter.closed) return undefined;
    const delta = await this.#readLarge(() => share.release());
    if (delta === undefined) this.#release();
    return delta;
  }

  /** Reads a small delta. */
  #readSmall(): Delta | undefined | "large" {
    const { layer } = this.#options;
    const { map } = this.#server;
    const time = this.#server.refresh();
    if (time === undefined || this.#waiter.closed) return undefined;
    const grid = map.layer(layer);
    this.#noteDeletion();
    if (!this.#isFirst && (grid?.revision ?? 0) <= this.#readRevision) {
      return undefined;
    }
    const cells = readFew(grid, this.#selection, SMALL_RESPONSE_CELLS);
    if (cells === undefined) return "large";
    const from = this.#sentRevision;
    const to = this.#readRevision = map.revisionOf(layer);
    const count = cells.length;
    if (!this.#isFirst && count === 0) return undefined;
    return { from, to, time, began: this.#began, count, next: () => cells };
  }

  /**
   * Begins to read a large delta. It is read twice, first to count its cells:
   * the first event has the number of events.
   */
  async #readLarge(release: () => void): Promise<Delta | undefined> {
    const { map } = this.#server;
    const { layer, limits: { reached } } = this.#options;
    const time = this.#server.refresh();
    if (time === undefined) return undefined;
    this.#noteDeletion();
    const grid = map.layer(layer);
    const open = () => new LayerReading(grid, this.#selection, reached);
    const [counting, reading] = [open(), open()];
    this.#release = () => {
      counting.close();
      reading.close();
      release();
    };
    const from = this.#sentRevision;
    const began = this.#began;
    const to = this.#readRevision = map.revisionOf(layer);
    const cells = newColumns(MAX_EVENT_CELLS);
    let count = 0;
    for (let isLast = false; !isLast && !this.#waiter.closed;) {
      cells.length = 0;
      isLast = !await this.#run(() => counting.read(cells));
      count += cells.length;
    }
    if (!this.#isFirst && count === 0) return undefined;
    const next = async () => {
      cells.length = 0;
      while (cells.length < MAX_EVENT_CELLS) {
        if (!await this.#run(() => reading.read(cells))) break;
      }
      return cells;
    };
    return { from, to, time, began, count, next };
  }

  get #selection(): Selection {
    return { since: this.#readRevision, region: this.#options.region };
  }

  #run<T>(work: () => T): Promise<T> {
    const { turns, exchange } = this.#options;
    return turns.run(exchange.network, work);
  }

  /**
   * Makes the next event replace all cells if the layer was deleted, or has an
   * earlier state.
   */
  #noteDeletion(): void {
    const { map } = this.#server;
    const { layer } = this.#options;
    const identity = map.identityOf(layer);
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#began = map.beganOf(layer);
    this.#sentRevision = this.#readRevision = 0;
    this.#isFirst = true;
  }

  async *#write(
    { from, to, time, began, count, next }: Delta,
    isFirst: boolean,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
    const { layer } = this.#options;
    // The layer may have been deleted since it was read.
    const moment = { ...momentAt(this.#server, time, layer), began };
    const id = revisionId({ revision: to, began });
    const parts = Math.max(1, Math.ceil(count / MAX_EVENT_CELLS));
    for (let part = 1; part <= parts; part++) {
      const cells = await next();
      const head = JSON.stringify({ layer, from, to, ...moment, part, parts });
      const retryLine = isFirst && part === 1
        ? `retry: ${RECONNECT_DELAY_MS}\n`
        : "";
      // Only the last part has an id: after a lost part, all are sent again.
      const idLine = part < parts ? "" : `id: ${id}\n`;
      const before = `${retryLine}event: changes\n${idLine}data: ${
        head.slice(0, -1)
      },"cells":[`;
      yield await this.#run(() =>
        concat(before, writeJsonRows(cells, 0, cells.length), "]}\n\n")
      );
    }
  }
}

/**
 * Waits for changes of the map, the broker or the store, or the end of the
 * stream.
 */
class ChangeWaiter {
  readonly #endings: readonly AbortSignal[];
  readonly #onAbort = () => this.close();
  readonly #unobserve: () => void;
  #closed = false;
  #changed = true;
  #wake: (() => void) | undefined;

  /** @param endings each ends the stream when it is aborted */
  constructor(server: HttpContext, endings: readonly AbortSignal[]) {
    this.#endings = endings;
    this.#closed = endings.some(({ aborted }) => aborted);
    for (const signal of endings) {
      signal.addEventListener("abort", this.#onAbort);
    }
    this.#unobserve = server.observe(() => {
      this.#changed = true;
      this.#wake?.();
    });
  }

  /** True after {@linkcode ChangeWaiter.close}, or when the stream ends. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Waits for a time, in ms, and ignores changes in this time. */
  async pause(ms: number): Promise<void> {
    this.#changed = false;
    if (ms > 0) await this.#wait(ms, () => this.#closed);
    this.#changed = false;
  }

  /**
   * Waits for a change.
   *
   * @param ms maximum time, in ms
   * @returns true if something has changed since the last pause
   */
  async waitForChange(ms: number): Promise<boolean> {
    await this.#wait(ms, () => this.#closed || this.#changed);
    return this.#changed && !this.#closed;
  }

  /** Ends all waiting. */
  close(): void {
    this.#closed = true;
    this.#unobserve();
    for (const signal of this.#endings) {
      signal.removeEventListener("abort", this.#onAbort);
    }
    this.#wake?.();
  }

  async #wait(ms: number, isDone: () => boolean): Promise<void> {
    if (isDone()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = () => {
      if (isDone()) resolve();
    };
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}

function concat(
  before: string,
  rows: Uint8Array,
  after: string,
): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(before);
  const bytes = new Uint8Array(head.length + rows.length + after.length);
  bytes.set(head);
  bytes.set(rows, head.length);
  encoder.encodeInto(after, bytes.subarray(head.length + rows.length));
  return bytes;
}
