import { setImmediate } from "node:timers";
import type { ApplyResult, OccupancyMap } from "../grid/mod.ts";
import type { Incoming, Link } from "../mqtt/link.ts";
import { ProtocolError, ReadingBatch, type Topics } from "../protocol/mod.ts";
import {
  applyEntry,
  type Entry,
  type Store,
  StoreError,
} from "../store/store.ts";
import type { Intake } from "./intake.ts";
import { type Complaint, FUTURE, LATE } from "./reports.ts";
import type { SourceBook } from "./sources.ts";
import type { Stats } from "./stats.ts";
import type { DateReading, Submission } from "./submission.ts";

/** What a {@linkcode Pipeline} is given. */
export interface PipelineOptions {
  readonly link: Link;
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  readonly intake: Intake;
  readonly stats: Stats;
  readonly sources: SourceBook;
  /** ms since 1970. */
  readonly clock: () => number;
  /** Dates the readings of submissions that do not say when they were observed. */
  readonly dateNew: DateReading;
  /**
   * Answers a request. All that came before it is in the map, unless the store
   * fails: then it is answered with that.
   */
  readonly answer: (request: Incoming) => void;
  readonly complain: (complaint: Complaint) => void;
  /** Told when entries are in the map. */
  readonly applied: () => void;
  /** Told when the store begins to fail, and with `undefined` when it is well again. */
  readonly failing: (failure: StoreError | undefined) => void;
}

/** What arrived together, on its way to being kept. */
interface Group {
  readonly messages: readonly Incoming[];
  readonly requests: readonly Incoming[];
  readonly entries: readonly Entry[];
  /** What others than the link sent, and their entries, if they have one. */
  readonly submissions: readonly Submitted[];
}

interface Submitted {
  readonly submission: Submission;
  readonly entry: Entry | undefined;
}

/** Told of a commit: how long it took, in ms, and how many readings it had. */
export type CommitObserver = (ms: number, readings: number) => void;

/**
 * Bytes that may wait while the store fails; then messages at QoS 0 are turned
 * away. How many wait at QoS 1 the broker's in-flight window bounds.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** What a message takes besides its payload, about. */
const MESSAGE_BYTES = 256;
/**
 * What makes a group: more than this is not waited for. Enough to make a commit
 * cheap, and little enough to be dealt with in some milliseconds.
 */
const MAX_GROUP_BYTES = 256 * 1024;
/** How long until a commit that failed is tried again, in ms. */
const RETRY_AFTER = 250;

/**
 * Takes messages through the steps that keep the promises: gather, commit,
 * apply, acknowledge, answer. One commit serves all that has arrived since the
 * last one, so its cost is shared when there is much to do and nobody waits
 * when there is little.
 *
 * If the store fails, the group is held, unacknowledged, until it can be kept,
 * and what comes meanwhile waits behind it.
 */
export class Pipeline {
  /** Told of each commit that the store has taken. */
  observeCommit: CommitObserver | undefined;
  readonly #options: PipelineOptions;
  #messages: Incoming[] = [];
  #submissions: Submission[] = [];
  /** When those of them came that wait for the store, ms since 1970. */
  #arrivals: number[] = [];
  #waitingBytes = 0;
  #groupBytes = 0;
  /** How many messages the group had a turn of the event loop ago. */
  #gathered = 0;
  /** Requests among the messages that were answered while the store failed. */
  readonly #answered = new Set<Incoming>();
  #scheduled = false;
  #stopped = false;
  #held: Group | undefined;
  /** Why it is held. */
  #failure: StoreError | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** Takes a message into the next group. */
  push(message: Incoming): void {
    if (this.#stopped) return;
    if (this.#held !== undefined) {
      this.#wait(message);
      return;
    }
    this.#messages.push(message);
    this.#groupBytes += message.payload.length + MESSAGE_BYTES;
    this.#schedule();
  }

  /** Takes a submission into the next group; while the store fails it fails too. */
  submit(submission: Submission): void {
    if (this.#stopped) {
      submission.failed("stopping", "The server is ending");
    } else if (this.#held !== undefined) {
      submission.failed("store-failing", this.#failure!.message);
    } else {
      this.#submissions.push(submission);
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#gather());
  }

  /** Keeps entries of the server's own; false if the store fails just now. */
  keep(entries: readonly Entry[]): boolean {
    if (!this.flush() || this.#stopped) return false;
    this.#take({ messages: [], requests: [], entries, submissions: [] });
    return this.#held === undefined;
  }

  /** Deals with all that has arrived, now; false if it waits for the store. */
  flush(): boolean {
    this.#scheduled = false;
    const messages = this.#messages;
    const arrivals = this.#arrivals;
    const waiting = this.#submissions;
    if (this.#held !== undefined) return false;
    if (messages.length === 0 && waiting.length === 0) return true;
    this.#messages = [];
    this.#arrivals = [];
    this.#submissions = [];
    this.#waitingBytes = 0;
    this.#groupBytes = 0;
    this.#gathered = 0;
    const { intake, clock, topics, stats } = this.#options;
    const now = clock();
    const requests: Incoming[] = [];
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!;
      if (message.topic !== topics.request) {
        intake.add(message, Math.min(arrivals[i] ?? now, now));
        stats.messages++;
        stats.bytes += message.payload.length;
      } else if (!this.#answered.delete(message)) requests.push(message);
    }
    const entries = intake.entries(now);
    const submissions: Submitted[] = [];
    for (const submission of waiting) {
      stats.messages++;
      stats.bytes += submission.bytes;
      try {
        intake.reserve(submission.layer);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        submission.refused(error);
        continue;
      }
      const entry = submission.entry(now, this.#options.dateNew);
      if (entry !== undefined) entries.push(entry);
      submissions.push({ submission, entry });
    }
    this.#take({ messages, requests, entries, submissions });
    return this.#held === undefined;
  }

  /** Ends. What could not be kept stays unacknowledged: its broker sends it again. */
  stop(): void {
    this.flush();
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  /**
   * Deals with what has arrived once nothing has come for a turn of the event
   * loop: a turn brings no more than one read of a socket.
   */
  #gather(): void {
    const count = this.#messages.length;
    if (count === this.#gathered || this.#groupBytes >= MAX_GROUP_BYTES) {
      this.flush();
    } else {
      this.#gathered = count;
      setImmediate(() => this.#gather());
    }
  }

  #take(group: Group): void {
    const failure = this.#commit(group.entries);
    if (failure === undefined) this.#finish(group);
    else this.#hold(group, failure);
  }

  #commit(entries: readonly Entry[]): StoreError | undefined {
    if (entries.length === 0) return undefined;
    const observe = this.observeCommit;
    const start = observe === undefined ? 0 : performance.now();
    try {
      this.#options.store.commit(entries);
      observe?.(performance.now() - start, readingsIn(entries));
      return undefined;
    } catch (error) {
      if (error instanceof StoreError) return error;
      throw error;
    }
  }

  /** What is committed becomes known: to the map, to its senders, to who asks. */
  #finish({ messages, requests, entries, submissions }: Group): void {
    const { store, map, intake, link, answer, applied } = this.#options;
    const results = new Map<Entry | undefined, ApplyResult>();
    for (const entry of entries) {
      const result = this.#apply(entry);
      if (submissions.length > 0 && result !== undefined) {
        results.set(entry, result);
      }
    }
    if (entries.length > 0) {
      store.applied(map);
      applied();
    }
    intake.clear();
    link.acknowledge(messages);
    for (const { submission, entry } of submissions) {
      submission.kept(results.get(entry), map.revision);
    }
    for (const request of requests) answer(request);
  }

  #hold(group: Group, failure: StoreError): void {
    const { failing, answer, clock } = this.#options;
    // Who submitted is told, and may send again: only the link's are held.
    const submitted = new Set(group.submissions.map(({ entry }) => entry));
    const entries = group.entries.filter((entry) => !submitted.has(entry));
    // To see when the store works again something must be committed.
    if (entries.length === 0) entries.push({ kind: "age", now: clock() });
    const held = { ...group, requests: [], submissions: [], entries };
    this.#held = held;
    this.#failure = failure;
    failing(failure);
    for (const request of group.requests) answer(request);
    for (const { submission } of group.submissions) {
      submission.failed("store-failing", failure.message);
    }
    this.#retry = setTimeout(() => this.#tryAgain(held), RETRY_AFTER);
  }

  #tryAgain(held: Group): void {
    if (this.#commit(held.entries) !== undefined) {
      this.#retry = setTimeout(() => this.#tryAgain(held), RETRY_AFTER);
      return;
    }
    this.#held = undefined;
    this.#failure = undefined;
    this.#options.failing(undefined);
    this.#finish(held);
    this.flush();
  }

  /** A message that came while the store fails. A request need not wait to be told. */
  #wait(message: Incoming): void {
    const { topics, answer, clock } = this.#options;
    if (message.topic === topics.request) {
      this.#answered.add(message);
      answer(message);
    } else if (this.#waitingBytes > MAX_WAITING_BYTES && message.qos === 0) {
      this.#turnAway(message);
      return;
    }
    this.#waitingBytes += message.payload.length + MESSAGE_BYTES;
    this.#messages.push(message);
    this.#arrivals.push(clock()); // when it is taken in, it will be older
  }

  /** Nobody waits for its acknowledgement, so nothing else bounds how many come. */
  #turnAway(message: Incoming): void {
    const { link, complain } = this.#options;
    link.acknowledge([message]);
    complain({
      topic: message.topic,
      code: "overloaded",
      message: "the store fails and too much waits for it; send at QoS 1",
      count: 1,
    });
  }

  #apply(entry: Entry): ApplyResult | undefined {
    const { map, stats, sources } = this.#options;
    const result = applyEntry(map, entry);
    if (entry.kind !== "apply" || result === undefined) return undefined;
    const { layer, readings } = entry;
    if (readings instanceof ReadingBatch && readings.sources.length > 1) {
      const grid = map.layer(layer);
      if (grid !== undefined) sources.note(layer, grid, readings);
    }
    stats.accepted += result.changed + result.renewed;
    stats.changed += result.changed;
    this.#complainOf(layer, "late", result.late, LATE);
    this.#complainOf(layer, "future", result.future, FUTURE);
    return result;
  }

  #complainOf(layer: string, code: string, count: number, message: string) {
    if (count === 0) return;
    const { topics, complain } = this.#options;
    complain({ topic: topics.data(layer), code, message, count });
  }
}

function readingsIn(entries: readonly Entry[]): number {
  let count = 0;
  for (const entry of entries) {
    if (entry.kind === "apply") count += entry.readings.length;
  }
  return count;
}
