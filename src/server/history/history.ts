/**
 * The history of a server's map: records it, closes its hours, and answers
 * questions about it.
 *
 * @module
 */
import { printable } from "../../common/printable.ts";
import type { OccupancyMap } from "../../grid/mod.ts";
import type { HistoryService } from "../../history/answers.ts";
import type { HistoryTables, Store, StoreError } from "../../store/store.ts";
import type { ServerLog } from "../log.ts";
import { Recorder } from "./recorder.ts";

/** Commits usually write the history along; without them, after this time. */
const WRITE_DELAY_MS = 50;
/** Pause before the history is written again after that failed. */
const RETRY_INTERVAL_MS = 1000;

/** Options of the history of a server. */
export interface HistoryOptions {
  /** A state begins at a multiple of this; seconds, 1 or more. */
  readonly stepSeconds: number;
}

/** What a {@linkcode History} needs of its server. */
export interface HistoryContext {
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly log: ServerLog;
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
}

/** The history of a map. */
export class History {
  readonly recorder: Recorder;
  /** Answers questions about the past. */
  readonly service: HistoryService | undefined;
  readonly #context: HistoryContext;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #problem: StoreError | undefined;
  #stopped = false;

  /**
   * @param context its store is not loaded yet, and its map is empty
   * @param tables of the store
   */
  constructor(
    context: HistoryContext,
    tables: HistoryTables,
    { stepSeconds }: HistoryOptions,
  ) {
    this.#context = context;
    const { map, now, monotonic, store } = context;
    this.recorder = new Recorder(tables, {
      ...{ map, now, monotonic, stepSeconds },
      schedule: () => this.#schedule(WRITE_DELAY_MS),
    });
    store.historyWork = this.recorder;
  }

  /** Why the history is paused; undefined while it works. */
  get problem(): string | undefined {
    return this.#problem?.message;
  }

  /** Call it before an entry is applied to the map. */
  advance(now: number): void {
    this.recorder.advance(now);
  }

  /** Call it after the map was loaded. */
  loaded(): void {
    this.recorder.loaded();
  }

  /** Call it once a second. */
  tick(): void {
    this.recorder.tick();
    this.#noteProblem();
  }

  /** Records the map a last time: the store is closed next. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.recorder.stop();
  }

  /** Writes the history without entries, if no commit comes before. */
  #schedule(delayMs: number): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.recorder.hasWork) return;
      const problem = this.#context.store.commitHistory?.();
      this.#noteProblem();
      if (problem !== undefined) this.#schedule(RETRY_INTERVAL_MS);
      else if (this.recorder.hasWork) this.#schedule(0);
    }, delayMs);
  }

  #noteProblem(): void {
    const { store: { historyProblem }, log } = this.#context;
    const before = this.#problem;
    this.#problem = historyProblem;
    if (historyProblem?.message === before?.message) return;
    if (historyProblem === undefined) {
      log.infoLimited("history-works", "The history is recorded again");
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
