/**
 * Processes messages in groups: gather, commit, apply, acknowledge, answer.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { ApplyResult } from "../grid/mod.ts";
import type { Incoming } from "../mqtt/link.ts";
import { ReadingBatch } from "../protocol/mod.ts";
import {
  applyEntry,
  countReadings,
  type Entry,
  StoreError,
} from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import { type Group, GroupReader } from "./group_reader.ts";
import type { Reports } from "./reports.ts";
import type { Submission } from "./submission.ts";

/**
 * Bytes of messages that may wait while the store fails; above this, readings
 * at QoS 0 are refused. At QoS 1 the broker's in-flight window is the limit.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Approximate memory of a message besides its payload. */
const MESSAGE_OVERHEAD_BYTES = 256;
/**
 * A group of this size is processed at once: large enough to make a commit
 * cheap, small enough to take only milliseconds.
 */
const MAX_GROUP_BYTES = 256 * 1024;
const RETRY_INTERVAL_MS = 250;

/** Called by a {@linkcode Pipeline}. */
export interface PipelineEvents {
  /** Called before messages and submissions get their time of receipt. */
  onReceive(): void;
  /**
   * Called to answer a request. The readings before it are in the map, or the
   * store fails.
   */
  onRequest(request: Incoming): void;
  /** Called when the map has a layer no longer. */
  onLayerGone(layer: string): void;
  /** Called after entries were committed and applied to the map. */
  onApplied(): void;
  /** Called when the store fails, or works again (`undefined`). */
  onStoreProblem(problem: StoreError | undefined): void;
}

/**
 * Gathers messages in groups, and commits, applies and acknowledges each group
 * at once; then answers its requests. Under load, many messages share the cost
 * of a commit; otherwise no message waits for others.
 *
 * If a commit fails, the group stays unacknowledged and the commit is retried;
 * later messages wait behind it.
 */
export class Pipeline {
  readonly #context: ServerContext;
  readonly #reports: Pick<Reports, "add">;
  readonly #events: PipelineEvents;
  readonly #reader: GroupReader;
  /** Messages and submissions of the next group, in order of arrival. */
  #messages: Incoming[] = [];
  #submissions: Submission[] = [];
  #groupBytes = 0;
  /** Number of messages one turn of the event loop ago. */
  #previousCount = 0;
  #isScheduled = false;
  #stopped = false;
  /** The group whose commit failed; undefined while the store works. */
  #failedGroup: Group | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Arrival times of the messages that wait behind the failed group. */
  #arrivals: number[] = [];
  #waitingBytes = 0;
  /** The requests among these messages. They are answered already. */
  readonly #answered = new Set<Incoming>();

  constructor(
    context: ServerContext,
    reports: Pick<Reports, "add">,
    events: PipelineEvents,
  ) {
    this.#context = context;
    this.#reports = reports;
    this.#events = events;
    this.#reader = new GroupReader(context, reports);
  }

  /** Adds a message to the next group. */
  push(message: Incoming): void {
    if (this.#stopped) return;
    if (this.#failedGroup !== undefined) {
      this.#pushWaiting(message);
      return;
    }
    this.#messages.push(message);
    this.#groupBytes += message.payload.length + MESSAGE_OVERHEAD_BYTES;
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
      this.#submissions.push(submission);
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
    if (!this.flush() || this.#stopped) return false;
    const group = { messages: [], requests: [], entries, submissions: [] };
    this.#process(group, retry);
    return this.#failedGroup === undefined;
  }

  /**
   * Processes all that has arrived.
   *
   * @returns false if it must wait because the store fails
   */
  flush(): boolean {
    this.#isScheduled = false;
    if (this.#failedGroup !== undefined) return false;
    if (this.#messages.length > 0 || this.#submissions.length > 0) {
      this.#process(this.#takeGroup());
    }
    return this.#failedGroup === undefined;
  }

  /**
   * Ages the cells to the present. Cheap if no cell is due.
   *
   * @returns the time at which the map is correct, ms since 1970; undefined
   * while the store fails: then cells may be staler than the map shows
   */
  refresh(): number | undefined {
    const { map, clock } = this.#context;
    const time = clock.now();
    if (!map.isDue(time)) return time;
    this.flush(); // entries must be in order of time
    const now = clock.now();
    return this.commit([{ kind: "age", now }]) ? now : undefined;
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

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#gather());
  }

  /**
   * Processes the group after a turn of the event loop without a message. One
   * turn delivers at most one read of a socket.
   */
  #gather(): void {
    const count = this.#messages.length;
    if (count === this.#previousCount || this.#groupBytes >= MAX_GROUP_BYTES) {
      this.flush();
    } else {
      this.#previousCount = count;
      setImmediate(() => this.#gather());
    }
  }

  /** Removes what has arrived and parses it. */
  #takeGroup(): Group {
    this.#events.onReceive();
    const arrived = {
      messages: this.#messages,
      arrivals: this.#arrivals,
      submissions: this.#submissions,
      isAnswered: (request: Incoming) => this.#answered.delete(request),
    };
    this.#messages = [];
    this.#arrivals = [];
    this.#submissions = [];
    this.#waitingBytes = 0;
    this.#groupBytes = 0;
    this.#previousCount = 0;
    return this.#reader.read(arrived);
  }

  #process(group: Group, retry = true): void {
    const problem = this.#tryCommit(group.entries);
    if (problem === undefined) this.#complete(group);
    else this.#keepFailed(retry ? group : { ...group, entries: [] }, problem);
  }

  #tryCommit(entries: readonly Entry[]): StoreError | undefined {
    if (entries.length === 0) return undefined;
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

  /** Applies a committed group, acknowledges it and answers its requests. */
  #complete({ messages, requests, entries, submissions }: Group): void {
    const { store, map, link } = this.#context;
    const submitted = new Map(
      submissions.map(({ entry, submission }) => [entry, submission]),
    );
    const results = new Map<Entry | undefined, ApplyResult>();
    for (const entry of entries) {
      const submission = submitted.get(entry);
      const result = this.#apply(entry, submission);
      if (submission !== undefined && result !== undefined) {
        results.set(entry, result);
      }
    }
    this.#reader.parser.reportDropped();
    if (entries.length > 0) {
      store.applied(map);
      this.#events.onApplied();
    }
    this.#reader.parser.clear();
    link.acknowledge(messages);
    for (const { submission, entry } of submissions) {
      submission.complete(results.get(entry), map.revision);
    }
    for (const request of requests) this.#events.onRequest(request);
  }

  /** @param submission that the entry is from; default: messages */
  #apply(entry: Entry, submission?: Submission): ApplyResult | undefined {
    const { map, sources, telemetry } = this.#context;
    if (entry.kind !== "apply") {
      applyEntry(map, entry);
      if ("layer" in entry && map.layer(entry.layer) === undefined) {
        this.#events.onLayerGone(entry.layer);
      }
      return undefined;
    }
    const { layer, readings } = entry;
    const result = applyEntry(
      map,
      entry,
      submission?.onDropped ??
        ((index, code) => this.#reader.parser.addDropped(layer, index, code)),
    );
    if (result === undefined) return undefined;
    if (
      readings instanceof ReadingBatch &&
      (readings.sources.length > 1 || sources.has(layer))
    ) {
      const grid = map.layer(layer);
      if (grid !== undefined) sources.record(layer, grid, readings);
    }
    telemetry.countAccepted(layer, result.changed, result.renewed);
    return result;
  }

  /** Keeps a group and schedules a retry of its commit. */
  #keepFailed(group: Group, problem: StoreError): void {
    // Submissions fail at once: their senders still have the readings.
    const submitted = new Set(group.submissions.map(({ entry }) => entry));
    const entries = group.entries.filter((entry) => !submitted.has(entry));
    // A retry needs an entry: only a commit shows that the store works again.
    if (entries.length === 0) {
      entries.push({ kind: "age", now: this.#context.clock.now() });
    }
    this.#failedGroup = { ...group, requests: [], submissions: [], entries };
    this.#noteStoreProblem(problem);
    for (const request of group.requests) this.#events.onRequest(request);
    for (const { submission } of group.submissions) {
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
    this.#noteStoreProblem(undefined);
    this.#complete(group);
    this.flush();
  }

  /** Adds a message while the store fails. A request is answered at once. */
  #pushWaiting(message: Incoming): void {
    const { topics, clock } = this.#context;
    if (message.topic === topics.request) {
      this.#answered.add(message);
      this.#events.onRequest(message);
    } else if (this.#waitingBytes > MAX_WAITING_BYTES && message.qos === 0) {
      this.#refuse(message);
      return;
    }
    this.#waitingBytes += message.payload.length + MESSAGE_OVERHEAD_BYTES;
    this.#messages.push(message);
    this.#events.onReceive();
    this.#arrivals.push(clock.now()); // for the date of its readings
  }

  /** Refuses a message at QoS 0: the broker does not limit their number. */
  #refuse(message: Incoming): void {
    const { link, telemetry } = this.#context;
    telemetry.countMessage(message.payload.length);
    link.acknowledge([message]);
    this.#reports.add({
      topic: message.topic,
      code: "overloaded",
      message: "the store fails and too many readings wait; send at QoS 1",
      count: 1,
    });
  }
}
