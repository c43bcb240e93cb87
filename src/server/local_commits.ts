/**
 * Commits to a store of this server alone, and applies at once.
 *
 * @module
 */
import type { Work } from "../common/turns.ts";
import { countReadings, StoreError } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import { applyGroup, type SubmissionResults } from "./group_applier.ts";
import type { GroupParser } from "./group_parser.ts";
import type { Group } from "./group_reader.ts";

const RETRY_INTERVAL_MS = 250;

/** Called by {@linkcode LocalCommits.retry}. */
export interface RetryEvents {
  /** Called if an attempt fails for another reason than the one before. */
  onProblem(problem: StoreError): void;
  /** Called after the commit: the group is to be applied. */
  onCommitted(group: Group): void;
}

/** Commits groups, one at a time. */
export class LocalCommits {
  readonly #context: ServerContext;
  readonly #parser: GroupParser;
  /** The group whose commit failed; undefined while the store works. */
  #failed: Group | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param parser receives the readings that the map drops */
  constructor(context: ServerContext, parser: GroupParser) {
    this.#context = context;
    this.#parser = parser;
  }

  /** True while the commit of a group is retried. */
  get isFailing(): boolean {
    return this.#failed !== undefined;
  }

  /** Commits and applies a group. Returns why the commit failed. */
  *commit(group: Group): Work<SubmissionResults | StoreError> {
    return this.#tryCommit(group) ?? (yield* this.apply(group));
  }

  /** Applies a group that was committed. */
  apply({ entries }: Group): Work<SubmissionResults> {
    return applyGroup(this.#context, this.#parser, entries);
  }

  /**
   * Retries the commit of a group until it succeeds, without its submissions:
   * their senders still have the readings.
   */
  retry(group: Group, problem: StoreError, events: RetryEvents): void {
    const entries = group.entries.filter(({ submission }) => !submission);
    // A retry needs an entry: only a commit shows that the store works again.
    if (entries.length === 0) {
      const now = this.#context.clock.now();
      entries.push({ entry: { kind: "age", now } });
    }
    this.#failed = { ...group, requests: [], submissions: [], entries };
    this.#schedule(this.#failed, problem, events);
  }

  #schedule(group: Group, problem: StoreError, events: RetryEvents): void {
    this.#timer = setTimeout(() => {
      const next = this.#tryCommit(group);
      if (next !== undefined) {
        if (next.message !== problem.message) events.onProblem(next);
        return this.#schedule(group, next, events);
      }
      this.#failed = undefined;
      events.onCommitted(group);
    }, RETRY_INTERVAL_MS);
  }

  /** Retries no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #tryCommit({ entries: group }: Group): StoreError | undefined {
    if (group.length === 0) return undefined;
    const entries = group.map(({ entry }) => entry);
    const { store, telemetry: { onCommit } } = this.#context;
    const start = onCommit === undefined ? 0 : performance.now();
    try {
      void store.commit(entries);
      onCommit?.(performance.now() - start, countReadings(entries));
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }
}
