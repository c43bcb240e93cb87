/**
 * The events of one client of `GET /api/v1/changes`.
 *
 * @module
 */
import type { CellColumns } from "../../feed/columns.ts";
import type { Region } from "../../grid/mod.ts";
import { copyAtMost, copyCells } from "../cell_columns.ts";
import type { HttpContext } from "../context.ts";
import type { Share } from "../budget.ts";
import type { Exchange } from "../exchange.ts";
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
  readonly exchange: Exchange;
  /** Aborted when the client no longer has access. */
  readonly access: AbortSignal;
  readonly layer: string;
  readonly region: Region | undefined;
  /** The revision that the client has; 0 for none. */
  readonly since: number;
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
  #isFirst = true;
  #sentAt = -Infinity;
  /** The events of the current delta. */
  #events: Generator<Uint8Array<ArrayBuffer>, undefined> | undefined;
  /** Held while a large delta is sent. */
  #share: Share | undefined;

  constructor(options: ChangeStreamOptions) {
    const { server, since, access } = options;
    this.#options = options;
    this.#server = server;
    this.#sentRevision = server.map.sinceOf(since);
    this.#readRevision = this.#sentRevision;
    this.#waiter = new ChangeWaiter(server, [server.signal, access]);
  }

  /**
   * Waits for the next event and returns it; undefined when the server ends or
   * the client no longer has access.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      if (this.#options.access.aborted) return undefined;
      const event = this.#events?.next().value;
      if (event !== undefined) return event;
      this.#events = undefined;
      this.#share?.release();
      if (this.#waiter.closed) return undefined;
      await this.#waiter.pause(
        this.#sentAt + MIN_DELTA_INTERVAL_MS - performance.now(),
      );
      const result = this.#read();
      if (result === "delta") continue;
      if (result === "overloaded") {
        this.#sentAt = performance.now();
        continue;
      }
      if (await this.#waiter.waitForChange(HEARTBEAT_INTERVAL_MS)) continue;
      if (!this.#waiter.closed) return encoder.encode(":\n\n");
    }
  }

  /** Ends the stream; {@linkcode ChangeStream.next} returns undefined. */
  close(): void {
    this.#waiter.close();
    this.#share?.release();
  }

  /** Reads the next delta from the map, if the limits allow a copy of it. */
  #read(): "delta" | "unchanged" | "overloaded" {
    const { limits, exchange, layer, region } = this.#options;
    const { map } = this.#server;
    const time = this.#server.refresh();
    if (time === undefined || this.#waiter.closed) return "unchanged";
    const grid = map.layer(layer);
    const since = this.#readRevision;
    if (!this.#isFirst && (grid?.revision ?? 0) <= since) return "unchanged";
    let cells = copyAtMost(SMALL_RESPONSE_CELLS, grid, { since, region });
    if (cells === undefined) {
      this.#share = limits.largeResponses.tryTake(exchange, 1);
      if (this.#share === undefined) return "overloaded";
      cells = copyCells(grid, { since, region });
    }
    const to = this.#readRevision = map.revision;
    if (!this.#isFirst && cells.length === 0) return "unchanged";
    const from = this.#sentRevision;
    this.#sentRevision = to;
    this.#events = this.#write(cells, { from, to, time }, this.#isFirst);
    this.#isFirst = false;
    this.#sentAt = performance.now();
    return "delta";
  }

  *#write(
    cells: CellColumns,
    { from, to, time }: { from: number; to: number; time: number },
    isFirst: boolean,
  ): Generator<Uint8Array<ArrayBuffer>, undefined> {
    const { layer } = this.#options;
    const moment = momentAt(this.#server, time);
    const id = revisionId({ revision: to, began: moment.began });
    const parts = Math.max(1, Math.ceil(cells.length / MAX_EVENT_CELLS));
    for (let part = 1; part <= parts; part++) {
      const head = JSON.stringify({ layer, from, to, ...moment, part, parts });
      const end = part * MAX_EVENT_CELLS;
      const rows = writeJsonRows(
        cells,
        end - MAX_EVENT_CELLS,
        Math.min(end, cells.length),
      );
      const retryLine = isFirst && part === 1
        ? `retry: ${RECONNECT_DELAY_MS}\n`
        : "";
      // Only the last part has an id: after a lost part, all are sent again.
      const idLine = part < parts ? "" : `id: ${id}\n`;
      yield concat(
        `${retryLine}event: changes\n${idLine}data: ${
          head.slice(0, -1)
        },"cells":[`,
        rows,
        "]}\n\n",
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
