/**
 * Processes messages in groups: gather, commit, apply, acknowledge, answer.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { MAX_TURN_MS, TurnTask, type WaitingWork } from "../common/turns.ts";
import { type Entry, StoreError } from "../store/store.ts";
import { ageBefore, ageingEntries } from "./ageing.ts";
import type { Arrival } from "./arrival.ts";
import { Arrivals } from "./arrivals.ts";
import type { ServerContext } from "./context.ts";
import { EarlyAnswers } from "./early_answers.ts";
import { type Group, groupOf, GroupReader } from "./group_reader.ts";
import { LocalCommits } from "./local_commits.ts";
import type { Reports } from "./reports.ts";
import { type Outcome, SharedCommits } from "./shared_commits.ts";
import type { Submission } from "./submission.ts";
import type { ReceiveEvents } from "./waiting_messages.ts";

/** Called by a pipeline. */
export interface PipelineEvents extends ReceiveEvents {
  /** Called when the map has a layer no longer. */
  onLayerGone(layer: string): void;
  /** Called after entries were committed and applied to the map. */
  onApplied(): void;
  /** Called when a part of the map was loaded anew, without its entries. */
  onReloaded(): void;
  /** Called when the store fails, or works again (`undefined`). */
  onStoreProblem(problem: StoreError | undefined): void;
}

/**
 * Gathers messages in groups, and commits, applies and acknowledges each group
 * at once; then answers its requests. Under load, many messages share the cost
 * of a commit; otherwise no message waits for others.
 *
 * A large group takes several turns of the event loop. What arrives in between
 * is for the next group.
 *
 * If a commit fails, the group stays unacknowledged and the commit is retried;
 * later messages wait behind it. A shared store retries by itself, and a group
 * waits for its commit: until then, {@linkcode Pipeline.flush} returns false.
 */
export class Pipeline {
  readonly #context: ServerContext;
  readonly #events: PipelineEvents;
  readonly #maxTurnMs: number;
  readonly #reader: GroupReader;
  /** For the next groups. */
  readonly #arrivals = new Arrivals();
  /** Of `#arrivals`, while the store fails. */
  readonly #early: EarlyAnswers;
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
  readonly #local: LocalCommits;
  /** Used instead if the store is shared. */
  readonly #shared: SharedCommits | undefined;
  /** Called at the end of the present task. */
  readonly #waitingForTask: (() => void)[] = [];

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
    this.#early = new EarlyAnswers(context, this.#arrivals, reports, events);
    const { parser } = this.#reader;
    this.#local = new LocalCommits(context, parser);
    const { shared } = context.store;
    this.#shared = shared &&
      new SharedCommits(context, shared, parser, {
        onApplied: (entries) => this.#onApplied(entries),
        onReloaded: (shard) => this.#onReloaded(shard),
        onProblem: (problem) => this.#onSharedProblem(problem),
        onHeld: (problem) => this.#releaseHeld(problem),
      });
  }

  get #isFailing(): boolean {
    return this.#local.isFailing || this.#shared?.problem !== undefined;
  }

  /** Begins to apply what a shared store delivers: call it after the load. */
  follow(): void {
    this.#shared?.follow();
  }

  /** True if messages or submissions are processed, or wait. */
  get isBusy(): boolean {
    return this.#task !== undefined || !this.#arrivals.isEmpty;
  }

  /** Adds a message, or a run, to the next group. */
  push(message: Arrival): void {
    if (this.#stopped) return;
    if (this.#isFailing) return this.#early.push(message);
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
   * Commits and applies entries of the server itself, behind what has arrived:
   * at once, unless the store is shared.
   *
   * @param options retry: false to drop the entries if the store fails
   * @returns false if the store fails
   */
  async commit(
    entries: readonly Entry[],
    { retry = true } = {},
  ): Promise<boolean> {
    if (!this.flush()) {
      if (this.#isFailing) return false;
      while (this.#task !== undefined) {
        await new Promise<void>((end) => this.#waitingForTask.push(end));
      }
    }
    return await this.#commitNow(entries, retry);
  }

  /**
   * Processes all that has arrived, in one turn.
   *
   * @returns false if it must wait: the store fails, or is shared and a commit
   * takes its time
   */
  flush(): boolean {
    this.#isScheduled = false;
    for (;;) {
      // Completing a task may begin another one.
      for (let task; (task = this.#task) !== undefined;) {
        task.finish();
        if (this.#task === task) return false; // it waits
      }
      if (this.#isFailing) return false;
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
    const mustWait = this.isBusy && !this.#isFailing;
    return mustWait ? this.#arrivals.taken() : Promise.resolve();
  }

  /**
   * Ages the cells to the present. Cheap if no cell is due.
   *
   * @returns the time at which the map is correct, ms since 1970; undefined
   * while the store fails: then cells may be staler than the map shows. While a
   * large group is applied or many cells age, some milliseconds ago; after the
   * clock was set back, the time before that
   */
  refresh(): number | undefined {
    const { map, clock } = this.#context;
    // What other servers have committed may be missing.
    if (this.#shared?.problem !== undefined) return undefined;
    const time = clock.now();
    const isDue = this.#shared?.isDue(time) ?? map.isDue(time);
    if (!isDue) return this.#agedTo = time;
    // Entries must be in order of time.
    if (this.#task !== undefined && !Number.isNaN(this.#agedTo)) {
      this.#mustAge = true;
      return this.#agedTo;
    }
    this.#task?.finish();
    return this.#age();
  }

  /** Notices a store that fails while nothing arrives. */
  checkStore(): void {
    const { store, clock } = this.#context;
    if (this.#isFailing || store.problem?.() === undefined) return;
    void this.commit([{ kind: "age", now: clock.now() }]);
  }

  /**
   * Processes what has arrived and stops. Messages that cannot be committed
   * stay unacknowledged: the broker sends them again.
   */
  stop(): void {
    this.flush();
    this.#stopped = true;
    this.#local.stop();
  }

  /** Ages the cells between two groups: what has arrived waits. */
  #age(): number | undefined {
    if (this.#stopped || this.#isFailing) return undefined;
    if (this.#task !== undefined) { // it waits for a commit
      this.#mustAge = true;
      return this.#agedTo >= 0 ? this.#agedTo : undefined;
    }
    const now = this.#context.clock.now();
    const task = this.#begin(this.#ageInTurns(now));
    // Until the map was aged once, there is no time at which it is correct.
    if (Number.isNaN(this.#agedTo)) task.finish();
    else task.run();
    const isKnown = !this.#isFailing && !Number.isNaN(this.#agedTo);
    return isKnown ? this.#agedTo : undefined;
  }

  *#ageInTurns(now: number): WaitingWork<Outcome> {
    let outcome: Outcome | undefined;
    for (const entries of ageingEntries(this.#context.map, now)) {
      if (entries === undefined) yield;
      else outcome = yield* this.#commitAndApply(groupOf(entries));
      if (outcome?.results instanceof StoreError) return outcome;
    }
    this.#agedTo = now;
    return outcome!;
  }

  /** Commits and applies entries between two groups. */
  #commitNow(entries: readonly Entry[], retry: boolean): Promise<boolean> {
    if (this.#stopped || this.#isFailing) return Promise.resolve(false);
    return new Promise((resolve) => {
      const work = this.#commitAndApply(groupOf(entries), retry);
      const onDone = ({ results }: Outcome) =>
        resolve(!(results instanceof StoreError));
      this.#begin(work, onDone).finish();
    });
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
    if (this.#task !== undefined || this.#isFailing) return;
    if (!this.#arrivals.isEmpty) this.#begin(this.#processGroup()).run();
  }

  /** Returns a task with this work as the present one. */
  #begin(
    work: WaitingWork<Outcome>,
    onDone?: (outcome: Outcome) => void,
  ): TurnTask<Outcome> {
    const complete = (outcome: Outcome) => {
      this.#task = undefined;
      this.#complete(outcome);
      onDone?.(outcome);
      for (const resolve of this.#waitingForTask.splice(0)) resolve();
      this.#arrivals.resolveTaken(this.#isFailing);
      if (this.#mustAge) {
        this.#mustAge = false;
        this.refresh();
      }
      if (!this.#isFailing && !this.#arrivals.isEmpty) this.#schedule();
    };
    this.#task = new TurnTask(work, complete, this.#maxTurnMs);
    return this.#task;
  }

  *#processGroup(): WaitingWork<Outcome> {
    this.#events.onReceive();
    this.#previousCount = 0;
    const group = yield* this.#reader.read(this.#arrivals.take());
    const now = this.#shared === undefined
      ? ageBefore(this.#context.map, group.entries, this.#agedTo)
      : undefined;
    const aged = now === undefined ? undefined : yield* this.#ageInTurns(now);
    if (aged?.results instanceof StoreError) return { ...aged, group };
    return yield* this.#commitAndApply(group);
  }

  *#commitAndApply(group: Group, retry = true): WaitingWork<Outcome> {
    if (this.#shared !== undefined) return yield* this.#shared.commit(group);
    const results = yield* this.#local.commit(group);
    const isDropped = !retry && results instanceof StoreError;
    return { group: isDropped ? { ...group, entries: [] } : group, results };
  }

  /** Acknowledges an applied group and answers its requests. */
  #complete({ group, results }: Outcome): void {
    if (results instanceof StoreError) return this.#keepFailed(group, results);
    const { messages, requests, entries, submissions } = group;
    const { map, link } = this.#context;
    const { parser } = this.#reader;
    parser.reportDropped();
    if (entries.length > 0 && this.#shared === undefined) {
      this.#onApplied(entries.map(({ entry }) => entry));
    }
    parser.clear();
    link.acknowledge(this.#early.withoutAcknowledged(messages));
    for (const submission of submissions) {
      const revision = map.revisionOf(submission.layer);
      submission.complete(results.get(submission) ?? [], revision);
    }
    for (const request of requests) this.#events.onRequest(request);
  }

  #onApplied(entries: readonly Entry[]): void {
    const { store, map } = this.#context;
    for (const entry of entries) {
      if (entry.kind === "apply" || !("layer" in entry)) continue;
      if (map.layer(entry.layer) === undefined) {
        this.#events.onLayerGone(entry.layer);
      }
    }
    store.applied(map);
    this.#events.onApplied();
  }

  /** Some entries were not delivered: also deletions of layers. */
  #onReloaded(shard: number): void {
    const { map, telemetry, history } = this.#context;
    history?.recorder.reloaded(shard);
    for (const layer of [...telemetry.stats.changedByLayer.keys()]) {
      if (map.shardOf(layer) === shard && map.layer(layer) === undefined) {
        this.#events.onLayerGone(layer);
      }
    }
    this.#events.onReloaded();
    this.#events.onApplied();
  }

  /** Keeps a group and retries its commit. */
  #keepFailed(group: Group, problem: StoreError): void {
    // A shared store, which retries by itself, was closed.
    if (this.#shared !== undefined) return this.#early.release(group, problem);
    this.#local.retry(group, problem, {
      onProblem: (problem) => this.#noteStoreProblem(problem),
      onCommitted: (group) => {
        const task = this.#begin(this.#applyRetried(group));
        this.#noteStoreProblem(undefined);
        task.run();
      },
    });
    this.#noteStoreProblem(problem);
    this.#early.release(group, problem);
  }

  *#applyRetried(group: Group): WaitingWork<Outcome> {
    return { group, results: yield* this.#local.apply(group) };
  }

  /** While a shared store fails, a group waits; its requests do not. */
  #onSharedProblem(problem: StoreError | undefined): void {
    this.#noteStoreProblem(problem);
    if (problem !== undefined) this.#releaseHeld(problem);
    else if (!this.#arrivals.isEmpty) this.#schedule();
  }

  #releaseHeld(problem: StoreError): void {
    const requests = this.#shared!.releaseWaiting(problem);
    this.#early.release({ requests, submissions: [] }, problem);
    this.#arrivals.resolveTaken(true);
  }

  #noteStoreProblem(problem: StoreError | undefined): void {
    this.#context.status.storeProblem = problem;
    this.#events.onStoreProblem(problem);
  }
}
