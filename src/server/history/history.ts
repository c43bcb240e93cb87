/**
 * The history of a server's map: records it, closes its hours, and answers
 * questions about it.
 *
 * @module
 */
import type { LimitCounts } from "../../common/limit_counts.ts";
import { printable } from "../../common/printable.ts";
import type { OccupancyMap } from "../../grid/mod.ts";
import type { HistoryService } from "../../history/answers.ts";
import { ProtocolError } from "../../protocol/mod.ts";
import type { HistoryTables, Store, StoreError } from "../../store/store.ts";
import type { Zones } from "../../zones/mod.ts";
import { type Leadership, LEADING_SHARD } from "../leadership.ts";
import type { ServerLog } from "../log.ts";
import { HistoryWrites } from "./history_writes.ts";
import { Keeper } from "./keeper.ts";
import type { PruningOptions } from "./pruning.ts";
import { HistoryQueries } from "./queries/service.ts";
import { Recorder } from "./recorder.ts";
import { WriterRole } from "./writer_role.ts";

/** Commits usually write the history along; without them, after this time. */
const WRITE_DELAY_MS = 50;
/** Pause before the history is written again after that failed. */
const RETRY_INTERVAL_MS = 1000;

const RECORDED_AGAIN = "The history is recorded again";

const DAY_SECONDS = 24 * 3600;
const DEFAULT_KEEP_SECONDS = 30 * DAY_SECONDS;
const DEFAULT_KEEP_ROLLUPS_SECONDS = 2 * 365 * DAY_SECONDS;
/** Of a store on disk. */
const DEFAULT_MAX_BYTES = 4 * 2 ** 30;
/** Of a store in memory. */
const DEFAULT_MAX_MEMORY_BYTES = 48 * 2 ** 20;
/** Of a store that servers share: it is in the memory of Redis. */
const DEFAULT_MAX_SHARED_BYTES = 256 * 2 ** 20;
/** The server that writes was away for so long: it is said. */
const MAX_WRITER_LAG_MS = 30_000;

/** Options of the history of a server. */
export interface HistoryOptions {
  /** A state begins at a multiple of this; seconds, 1 or more. */
  readonly stepSeconds: number;
  /**
   * How long changes of cells are kept, in seconds; at least until the day (UTC)
   * has its rollups. Default 30 days.
   */
  readonly keepSeconds?: number | undefined;
  /** How long rollups are kept, in seconds. Default 2 years. */
  readonly keepRollupsSeconds?: number | undefined;
  /**
   * Above this size the oldest hours are deleted, then the oldest rollups, in
   * bytes. Default 4 GiB, in memory 48 MiB, in a shared store 256 MiB.
   */
  readonly maxBytes?: number | undefined;
  /**
   * False: of cells only the rollups are kept, once their day (UTC) has ended.
   * Default true.
   */
  readonly cells?: boolean | undefined;
  /** The time zone of days and weeks, an IANA name. Default UTC. */
  readonly timezone?: string | undefined;
}

/** All options of the history of a server. */
export interface HistorySettings extends PruningOptions {
  readonly stepSeconds: number;
  readonly timezone: string;
}

/** What a {@linkcode History} needs of its server. */
export interface HistoryContext {
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly log: ServerLog;
  /** Of a shared store: its leader writes. */
  readonly leadership?: Pick<Leadership, "observe"> | undefined;
  /** Counts what is not recorded because the history is too large. */
  readonly limited?: Pick<LimitCounts, "add"> | undefined;
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
}

/** The history of a map. */
export class History {
  readonly recorder: Recorder;
  /** Answers questions about the past. */
  readonly service: HistoryService;
  readonly keeper: Keeper;
  /** The options, with their defaults. */
  readonly settings: HistorySettings;
  readonly #writes: HistoryWrites;
  readonly #tables: HistoryTables;
  #zones: () => Zones = () => new Map();
  readonly #context: HistoryContext;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** True while the history is written without entries. */
  #isWriting = false;
  #problem: StoreError | undefined;
  #wasFull = false;
  #stopped = false;
  /** Undefined if only this server uses the store. */
  readonly #role: WriterRole | undefined;

  /**
   * @param context its store is not loaded yet, and its map is empty
   * @param tables of the store
   */
  constructor(
    context: HistoryContext,
    tables: HistoryTables,
    options: HistoryOptions,
  ) {
    this.#context = context;
    this.#tables = tables;
    const { map, now, monotonic, store, log } = context;
    const schedule = () => this.#schedule(WRITE_DELAY_MS);
    const { stepSeconds } = options;
    this.settings = {
      stepSeconds,
      keepSeconds: options.keepSeconds ?? DEFAULT_KEEP_SECONDS,
      keepRollupsSeconds: options.keepRollupsSeconds ??
        DEFAULT_KEEP_ROLLUPS_SECONDS,
      maxBytes: options.maxBytes ?? defaultMaxBytes(store),
      cells: options.cells ?? true,
      timezone: options.timezone ?? "UTC",
    };
    const recorder = this.recorder = new Recorder(
      tables,
      { map, now, monotonic, stepSeconds, schedule, limited: context.limited },
    );
    const writes = new HistoryWrites(recorder, { monotonic, schedule });
    const zones = () => this.#zones();
    this.keeper = new Keeper(
      { tables, recorder, writes, log, now, monotonic, zones },
      this.settings,
    );
    this.service = new HistoryQueries({
      ...{ tables, recorder, log, now, monotonic, zones },
      problem: () => this.problem,
      kept: this.settings,
    });
    this.#writes = writes;
    store.historyWork = writes;
    if (tables.shared !== undefined) {
      const { leases } = store.shared!;
      const { shared: sharing } = tables;
      const role = new WriterRole({ sharing, leases, recorder, writes });
      this.#role = role;
      context.leadership?.observe({
        onElected: () => role.elected(),
        onResign: () => role.resign(),
        onDeposed: () => role.stop(),
      });
    }
  }

  /** Why the history is paused; undefined while it works. */
  get problem(): string | undefined {
    if (this.recorder.isFull) return this.#full.problem;
    return this.#problem?.message ?? this.#writerProblem;
  }

  get #writerProblem(): string | undefined {
    const { isWriting, lagMs } = this.recorder;
    if (isWriting || lagMs < MAX_WRITER_LAG_MS) return undefined;
    const seconds = Math.round(lagMs / 1000);
    return `No server of the group has written the history for ${seconds} s`;
  }

  /** Why nothing is recorded while it is full, and when that ends. */
  get #full(): { readonly problem: string; readonly end: string } {
    const { maxBytes } = this.settings;
    if (!this.recorder.isWriting) {
      return {
        problem:
          "The server that writes it has paused it: Redis has used most of its maxmemory, or the changes of the last two hours alone have more than --history-size",
        end: "when that server records again (its log says why)",
      };
    }
    return this.#tables.shared?.memoryFull
      ? {
        problem:
          "Redis has used most of its maxmemory, and the readings need the rest",
        end:
          "when there is memory (raise maxmemory, or use a smaller --history-size)",
      }
      : {
        problem:
          `The changes of the last two hours alone have more than ${maxBytes} bytes`,
        end:
          "when they are closed (allow more with --history-size, or record fewer with --history-resolution)",
      };
  }

  /** Call it before an entry is applied to the map. */
  advance(now: number): void {
    this.recorder.advance(now);
  }

  /**
   * Sets of which zones rollups are made. Default: none.
   *
   * @param zones returns those in force, by name
   */
  setZones(zones: () => Zones): void {
    this.#zones = zones;
  }

  /** Call it after the map was loaded. */
  loaded(): void {
    this.recorder.loaded();
  }

  /** Call it once a second. */
  tick(): void {
    if (!this.recorder.isWriting) this.#refresh();
    this.recorder.tick();
    if (this.recorder.isWriting) this.keeper.tick();
    this.#role?.check();
    this.#noteProblem();
  }

  /**
   * Deletes what was recorded before a time, see {@linkcode Keeper.prune}.
   * Rejects with a {@linkcode ProtocolError} "other-server" if another server
   * writes.
   *
   * @param ms since 1970
   */
  prune(ms: number): Promise<void> | undefined {
    return this.recorder.isWriting
      ? this.keeper.prune(ms / 1000)
      : Promise.reject(this.#otherServer());
  }

  /** Records the map a last time: the store is closed next. */
  stop(): void {
    this.#stopped = true;
    this.#role?.close();
    clearTimeout(this.#timer);
    this.keeper.stop();
    this.recorder.stop();
  }

  /** Brings up to date what another server has written. */
  #refresh(): void {
    void (async () => await this.#tables.refresh())()
      .catch(() => {}); // the store says why
  }

  #otherServer(): ProtocolError {
    const { leases } = this.#context.store.shared!;
    const holder = leases.holderOf(LEADING_SHARD);
    return new ProtocolError(
      "other-server",
      `${
        holder === undefined ? "Another server" : `The server ${holder}`
      } writes the history of the group`,
      { hint: "Ask that one." },
    );
  }

  /** Writes the history without entries, if no commit comes before. */
  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#isWriting || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#writes.hasWork) void this.#write();
    }, delayMs);
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    const problem = await this.#context.store.commitHistory?.();
    this.#isWriting = false;
    if (this.#stopped) return;
    this.#noteProblem();
    if (problem !== undefined) this.#schedule(RETRY_INTERVAL_MS);
    else if (this.#writes.hasWork) this.#schedule(WRITE_DELAY_MS);
  }

  /** Says when the history is too large, and when it is not any more. */
  #noteFull(): void {
    const { isFull } = this.recorder;
    if (isFull === this.#wasFull) return;
    this.#wasFull = isFull;
    const { log } = this.#context;
    if (!isFull) log.infoLimited("history-works", RECORDED_AGAIN);
    else {
      const { problem, end } = this.#full;
      log.warnLimited(
        "history-full",
        `The history is paused: ${problem}. It goes on ${end}`,
      );
    }
  }

  #noteProblem(): void {
    const { store: { historyProblem }, log } = this.#context;
    this.#noteFull();
    const before = this.#problem;
    this.#problem = historyProblem;
    if (historyProblem?.message === before?.message) return;
    if (historyProblem === undefined) {
      log.infoLimited("history-works", RECORDED_AGAIN);
      return;
    }
    const { message, hint } = historyProblem;
    log.warnLimited(
      "history-paused",
      `The history is paused: ${
        printable(message)
      }. The map and its readings are stored still${
        hint === undefined ? "" : ` (${hint})`
      }`,
    );
  }
}

function defaultMaxBytes({ durable, shared }: Store): number {
  if (shared !== undefined) return DEFAULT_MAX_SHARED_BYTES;
  return durable ? DEFAULT_MAX_BYTES : DEFAULT_MAX_MEMORY_BYTES;
}
