/**
 * Cares for the history of a map: closes its hours, makes its rollups, and
 * deletes what is not kept any more.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import type { HistoryTables } from "../../store/store.ts";
import type { Zones } from "../../zones/mod.ts";
import type { ServerLog } from "../log.ts";
import { Care, deletionsOf, LayersDeletedError } from "./care.ts";
import { Closer } from "./closer.ts";
import { type HistoryWrites, OtherWriterError } from "./history_writes.ts";
import { Pace } from "./pace.ts";
import { Pruner, type PruningOptions } from "./pruning.ts";
import type { Recorder } from "./recorder.ts";

/** Part of the time that the care takes, by the number of hours to close. */
const SHARES = [
  { hours: 2, share: 0.05 },
  { hours: 12, share: 0.2 },
  { hours: Infinity, share: 0.5 },
] as const;
/** The same while a person waits for a deletion. */
const ORDERED_SHARE = 0.5;
/** Pause after an error, or while the history is too large, in ms. */
const RETRY_INTERVAL_MS = 30_000;

/** What a {@linkcode Keeper} needs. */
export interface KeeperContext {
  readonly tables: HistoryTables;
  readonly recorder: Pick<
    Recorder,
    "openFromHour" | "capture" | "recordAll" | "setFull"
  >;
  readonly writes: Pick<HistoryWrites, "commit" | "term">;
  readonly log: ServerLog;
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  /** Returns the zones whose rollups are made. */
  readonly zones: () => Zones;
  /** The part of the time that it may take. Default: by what is to do. */
  readonly share?: () => number;
}

/** Does what is to do, in short turns, as one work. */
export class Keeper {
  readonly #context: KeeperContext;
  readonly #pace: Pace;
  readonly #care: Care;
  readonly #closer: Closer;
  readonly #pruner: Pruner;
  #isRunning = false;
  /** A deletion that was asked for. */
  #order:
    | { readonly second: number; readonly done: PromiseWithResolvers<void> }
    | undefined;
  #stopped = false;
  #deletions: string | undefined;
  #retryAt = -Infinity;
  #damaged = 0;

  constructor(context: KeeperContext, options: PruningOptions) {
    this.#context = context;
    const { tables, writes, monotonic } = context;
    const share = context.share ?? (() => this.#share);
    this.#pace = new Pace({ monotonic, share });
    this.#care = new Care(tables, writes, this.#pace);
    this.#closer = new Closer(this.#care, {
      zones: context.zones,
      onDamaged: (hour) => this.#onDamaged(hour),
    });
    this.#pruner = new Pruner(this.#care, options);
  }

  /** Tiles with damaged rows that were found when hours were closed. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Number of hours that can be closed and are not yet. */
  get hoursBehind(): number {
    const { closedTo } = this.#closer;
    if (closedTo === undefined) return 0;
    return Math.max(0, this.#context.recorder.openFromHour - closedTo);
  }

  /** Call it once a second, after the map was loaded. */
  tick(): void {
    if (this.#stopped) return;
    this.#checkSize();
    if (this.#isRunning) return;
    if (this.#context.monotonic() < this.#retryAt) return;
    if (this.#isDue) void this.run();
  }

  /**
   * Does what is to do, if it is not doing so.
   *
   * @returns resolves when all is done, or an error was logged; never after
   * {@linkcode Keeper.stop}
   */
  async run(): Promise<void> {
    if (this.#isRunning || this.#stopped) return;
    this.#isRunning = true;
    const { closedTo } = this.#closer;
    try {
      this.#pace.begin();
      while (!await this.#round() || this.#order !== undefined);
    } catch (error) {
      // The store is closed: a step was waiting for its turn.
      if (this.#stopped) return;
      if (error instanceof OtherWriterError) return this.#endOrder(error);
      this.#endOrder(error);
      this.#context.log.warnLimited(
        "history-care",
        `Cannot close the hours of the history: ${
          messageOf(error)
        }. It is tried again`,
      );
    } finally {
      this.#isRunning = false;
    }
    if (this.#stopped) return;
    // More hours can have ended meanwhile.
    const isStuck = this.hoursBehind > 0 && this.#closer.closedTo === closedTo;
    this.#retryAt = this.#pruner.isTooLarge || isStuck
      ? this.#context.monotonic() + RETRY_INTERVAL_MS
      : -Infinity;
    this.#checkSize();
  }

  /**
   * Deletes what was recorded before a time: the closed hours that end before
   * it, and the days (UTC) of rollups.
   *
   * @param second seconds since 1970
   * @returns resolves when it is deleted; rejects with an error of the store, or
   * when the server stops; undefined if another deletion is not done yet
   */
  prune(second: number): Promise<void> | undefined {
    if (this.#order !== undefined) return undefined;
    const done = Promise.withResolvers<void>();
    this.#order = { second, done };
    if (this.#stopped) this.#endOrder(new Error("the server is stopping"));
    else void this.run();
    return done.promise;
  }

  /** Ends the work where it is. */
  stop(): void {
    this.#stopped = true;
    this.#pace.stop();
    this.#endOrder(new Error("the server is stopping"));
  }

  get #isDue(): boolean {
    return this.hoursBehind > 0 || this.#pruner.isTooLarge ||
      deletionsOf(this.#context.tables) !== this.#deletions;
  }

  get #share(): number {
    if (this.#order !== undefined) return ORDERED_SHARE;
    const behind = this.hoursBehind;
    return SHARES.find(({ hours }) => behind <= hours)!.share;
  }

  #endOrder(error?: unknown): void {
    const order = this.#order;
    this.#order = undefined;
    if (error === undefined) order?.done.resolve();
    else order?.done.reject(error);
  }

  /** Returns false if it has to begin again. */
  async #round(): Promise<boolean> {
    const { recorder, tables, now } = this.#context;
    const deletions = deletionsOf(tables);
    // What was recorded before this is captured.
    const toHour = recorder.openFromHour;
    try {
      if (await this.#pace.wait(recorder.capture())) {
        await this.#closer.close(toHour);
      }
      const order = this.#order;
      if (order !== undefined) {
        await this.#pruner.pruneBefore(order.second);
        this.#endOrder();
      }
      await this.#pruner.prune(now() / 1000);
      this.#deletions = deletions;
    } catch (error) {
      if (error instanceof LayersDeletedError) return false;
      throw error;
    }
    return true;
  }

  /** Stops the recording while open hours alone are larger than the limit. */
  #checkSize(): void {
    this.#context.recorder.setFull(this.#pruner.isFull);
  }

  #onDamaged(hour: number): void {
    this.#damaged++;
    this.#context.recorder.recordAll();
    const time = new Date(hour * 3_600_000).toISOString().slice(0, 16);
    this.#context.log.warnLimited(
      "history-damaged",
      `The store has damaged rows of the history of the hour ${time}Z: changes of that hour are missing`,
    );
  }
}
