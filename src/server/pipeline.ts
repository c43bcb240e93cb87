/**
 * Processes messages in groups: gather, commit, apply, acknowledge, answer.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { MAX_TURN_MS, TurnTask, type Work } from "../common/turns.ts";
import { countReadings, type Entry, StoreError } from "../store/store.ts";
import { ageingEntries } from "./ageing.ts";
import type { Arrival } from "./arrival.ts";
import { Arrivals } from "./arrivals.ts";
import type { ServerContext } from "./context.ts";
import { applyGroup, type SubmissionResults } from "./group_applier.ts";
import { type Group, type GroupEntry, GroupReader } from "./group_reader.ts";
import type { Reports } from "./reports.ts";
import type { Submission } from "./submission.ts";
import { type ReceiveEvents, WaitingMessages } from "./waiting_messages.ts";

const RETRY_INTERVAL_MS = 250;

/** Called by a {@linkcode Pipeline}. */
export interface PipelineEvents extends ReceiveEvents {
  /** Called when the map has a layer no longer. */
  onLayerGone(layer: string): void;
  /** Called after entries were committed and applied to the map. */
  onApplied(): void;
  /** Called when the store fails, or works again (`undefined`). */
  onStoreProblem(problem: StoreError | undefined): void;
}

/** A group after its commit. */
interface Outcome {
  readonly group: Group;
  /** Why the commit failed; then nothing was applied. */
  readonly problem: StoreError | undefined;
  readonly results: SubmissionResults;
}

const NO_RESULTS: SubmissionResults = new Map();

/**
 * Gathers messages in groups, and commits, applies and acknowledges each group
 * at once; then answers its requests. Under load, many messages share the cost
 * of a commit; otherwise no message waits for others.
 *
 * A large group takes several turns of the event loop. What arrives in between
 * is for the next group.
 *
 * If a commit fails, the group stays unacknowledged and the commit is retried;
 * later messages wait behind it.
 */
export class Pipeline {
  readonly #context: ServerContext;
  readonly #events: PipelineEvents;
  readonly #maxTurnMs: number;
  readonly #reader: GroupReader;
  /** For the next groups. */
  readonly #arrivals = new Arrivals();
  /** Of `#arrivals`, while the store fails. */
  readonly #waiting: WaitingMessages;
  /** The group that is parsed, committed and applied; undefined between two. */
  #task: TurnTask<Outcome> | undefined;
  /** The map was aged to this time, ms since 1970. */
  #agedTo = NaN;
  /** True if cells were due during the present group. */
  #mustAge = false;
  /** Number of messages one turn of the event loop ago. */
  #previousCount = 0;
  #isScheduled = false;
  #stopped = false;
  /** The group whose commit failed; undefined while the store works. */
  #failedGroup: Group | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    context: ServerContext,
    reports: Pick<Reports, "addReadings">,
    events: PipelineEvents,
    maxTurnMs = MAX_TURN_MS,
  ) {
    this.#context = context;
    this.#events = events;
    this.#maxTurnMs = maxTurnMs;
    this.#reader = new GroupReader(context, reports);
    this.#waiting = new WaitingMessages(
      context,
      this.#arrivals,
      reports,
      events,
    );
  }

  /** True if messages or submissions are processed, or wait. */
  get isBusy(): boolean {
    return this.#task !== undefined || !this.#arrivals.isEmpty;
  }

  /** Adds a message, or a run, to the next group. */
  push(message: Arrival): void {
    if (this.#stopped) return;
    if (this.#failedGroup !== undefined) {
      this.#waiting.push(message);
      return;
    }
    this.#arrivals.push(message);
    this.#schedule();
  }

  /** Adds a submission to the next group. Rejects it while the store fails. */
  submit(submission: Submission): void {
    const { storeProblem } = this.#context.status;
    if (this.#stopped) {
      submission.fail("stopping", "The server is shutting down");
    } else if (storeProblem !== undefined) {
      submission.fail("store-failing", storeProblem.message);
    } else {
      this.#arrivals.submit(submission);
      this.#schedule();
    }
  }

  /**
   * Commits and applies entries of the server itself.
   *
   * @param options retry: false to drop the entries if the store fails
   * @returns false if the store fails
   */
  commit(entries: readonly Entry[], { retry = true } = {}): boolean {
    return this.flush() && this.#commitNow(entries, retry);
  }

  /**
   * Processes all that has arrived, in one turn.
   *
   * @returns false if it must wait because the store fails
   */
  flush(): boolean {
    this.#isScheduled = false;
    for (;;) {
      // Completing a task may begin another one.
      while (this.#task !== undefined) this.#task.finish();
      if (this.#failedGroup !== undefined) return false;
      if (this.#arrivals.isEmpty) return true;
      this.#begin(this.#processGroup());
    }
  }

  /**
   * Waits until what has arrived before the call is processed: in turns, while
   * {@linkcode flush} needs one turn for all. Does not wait while the store
   * fails.
   */
  processed(): Promise<void> {
    const mustWait = this.isBusy && this.#failedGroup === undefined;
    return mustWait ? this.#arrivals.taken() : Promise.resolve();
  }

  /**
   * Ages the cells to the present. Cheap if no cell is due.
   *
   * @returns the time at which the map is correct, ms since 1970; undefined
   * while the store fails: then cells may be staler than the map shows. While a
   * large group is applied or many cells age, some milliseconds ago
   */
  refresh(): number | undefined {
    const { map, clock } = this.#context;
    const time = clock.now();
    if (!map.isDue(time)) return this.#agedTo = time;
    // Entries must be in order of time.
    if (this.#task !== undefined && this.#agedTo <= time) {
      this.#mustAge = true;
      return this.#agedTo;
    }
    this.#task?.finish();
    return this.#age();
  }

  /** Notices a store that fails while nothing arrives. */
  checkStore(): void {
    const { store, clock } = this.#context;
    if (this.#failedGroup !== undefined || store.problem?.() === undefined) {
      return;
    }
    this.commit([{ kind: "age", now: clock.now() }]);
  }

  /**
   * Processes what has arrived and stops. Messages that cannot be committed
   * stay unacknowledged: the broker sends them again.
   */
  stop(): void {
    this.flush();
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
  }

  /** Ages the cells between two groups: what has arrived waits. */
  #age(): number | undefined {
    if (this.#stopped || this.#failedGroup !== undefined) return undefined;
    const now = this.#context.clock.now();
    const task = this.#begin(this.#ageInTurns(now));
    // Until the map was aged once, there is no time at which it is correct.
    if (this.#agedTo <= now) task.run();
    else task.finish();
    return this.#failedGroup === undefined ? this.#agedTo : undefined;
  }

  *#ageInTurns(now: number): Generator<void, Outcome, void> {
    let outcome: Outcome | undefined;
    for (const entries of ageingEntries(this.#context.map, now)) {
      if (entries === undefined) yield;
      else outcome = yield* this.#commitAndApply(groupOf(entries));
      if (outcome?.problem !== undefined) return outcome;
    }
    this.#agedTo = now;
    return outcome!;
  }

  /** Commits and applies entries between two groups. */
  #commitNow(entries: readonly Entry[], retry = true): boolean {
    if (this.#stopped) return false;
    this.#begin(this.#commitAndApply(groupOf(entries), retry)).finish();
    return this.#failedGroup === undefined;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#task !== undefined) return;
    this.#isScheduled = true;
    setImmediate(() => this.#gather());
  }

  /**
   * Processes the group after a turn of the event loop without a message. One
   * turn delivers at most one read of a socket.
   */
  #gather(): void {
    const count = this.#arrivals.messages;
    if (count !== this.#previousCount && !this.#arrivals.isFull) {
      this.#previousCount = count;
      setImmediate(() => this.#gather());
      return;
    }
    this.#isScheduled = false;
    if (this.#task !== undefined || this.#failedGroup !== undefined) return;
    if (!this.#arrivals.isEmpty) this.#begin(this.#processGroup()).run();
  }

  /** Returns a task with this work as the present one. */
  #begin(work: Work<Outcome>): TurnTask<Outcome> {
    const complete = (outcome: Outcome) => {
      this.#task = undefined;
      this.#complete(outcome);
      this.#arrivals.resolveTaken(this.#failedGroup !== undefined);
      if (this.#mustAge) {
        this.#mustAge = false;
        this.refresh();
      }
      if (this.#failedGroup === undefined && !this.#arrivals.isEmpty) {
        this.#schedule();
      }
    };
    this.#task = new TurnTask(work, complete, this.#maxTurnMs);
    return this.#task;
  }

  *#processGroup(): Generator<void, Outcome, void> {
    this.#events.onReceive();
    this.#previousCount = 0;
    const group = yield* this.#reader.read(this.#arrivals.take());
    return yield* this.#commitAndApply(group);
  }

  *#commitAndApply(
    group: Group,
    retry = true,
  ): Generator<void, Outcome, void> {
    const problem = this.#tryCommit(group.entries);
    if (problem === undefined) return yield* this.#applyCommitted(group);
    const failed = retry ? group : { ...group, entries: [] };
    return { group: failed, problem, results: NO_RESULTS };
  }

  *#applyCommitted(group: Group): Generator<void, Outcome, void> {
    const { parser } = this.#reader;
    const results = yield* applyGroup(this.#context, parser, group.entries);
    return { group, problem: undefined, results };
  }

  #tryCommit(group: readonly GroupEntry[]): StoreError | undefined {
    if (group.length === 0) return undefined;
    const entries = group.map(({ entry }) => entry);
    const { onCommit } = this.#context.telemetry;
    const start = onCommit === undefined ? 0 : performance.now();
    try {
      this.#context.store.commit(entries);
      onCommit?.(performance.now() - start, countReadings(entries));
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  /** Acknowledges an applied group and answers its requests. */
  #complete({ group, problem, results }: Outcome): void {
    if (problem !== undefined) return this.#keepFailed(group, problem);
    const { messages, requests, entries, submissions } = group;
    const { store, map, link } = this.#context;
    const { parser } = this.#reader;
    parser.reportDropped();
    for (const { entry } of entries) {
      if (entry.kind === "apply" || !("layer" in entry)) continue;
      if (map.layer(entry.layer) === undefined) {
        this.#events.onLayerGone(entry.layer);
      }
    }
    if (entries.length > 0) {
      store.applied(map);
      this.#events.onApplied();
    }
    parser.clear();
    link.acknowledge(messages);
    for (const submission of submissions) {
      submission.complete(results.get(submission) ?? [], map.revision);
    }
    for (const request of requests) this.#events.onRequest(request);
  }

  /** Keeps a group and schedules a retry of its commit. */
  #keepFailed(group: Group, problem: StoreError): void {
    // Submissions fail at once: their senders still have the readings.
    const entries = group.entries.filter(({ submission }) => !submission);
    // A retry needs an entry: only a commit shows that the store works again.
    if (entries.length === 0) {
      const now = this.#context.clock.now();
      entries.push({ entry: { kind: "age", now } });
    }
    this.#failedGroup = { ...group, requests: [], submissions: [], entries };
    this.#noteStoreProblem(problem);
    for (const request of group.requests) this.#events.onRequest(request);
    this.#waiting.note(); // what has arrived during this group
    const arrived = this.#arrivals.takeSubmissions();
    for (const submission of [...group.submissions, ...arrived]) {
      submission.fail("store-failing", problem.message);
    }
    this.#scheduleRetry(this.#failedGroup);
  }

  #noteStoreProblem(problem: StoreError | undefined): void {
    this.#context.status.storeProblem = problem;
    this.#events.onStoreProblem(problem);
  }

  #scheduleRetry(group: Group): void {
    this.#retryTimer = setTimeout(() => this.#retry(group), RETRY_INTERVAL_MS);
  }

  #retry(group: Group): void {
    const problem = this.#tryCommit(group.entries);
    if (problem !== undefined) {
      const { storeProblem } = this.#context.status;
      if (problem.message !== storeProblem?.message) {
        this.#noteStoreProblem(problem);
      }
      this.#scheduleRetry(group);
      return;
    }
    this.#failedGroup = undefined;
    const task = this.#begin(this.#applyCommitted(group));
    this.#noteStoreProblem(undefined);
    task.run();
  }
}

/** Returns a group of entries of the server itself. */
function groupOf(entries: readonly Entry[]): Group {
  return {
    messages: [],
    requests: [],
    entries: entries.map((entry) => ({ entry })),
    submissions: [],
  };
}
