/**
 * Turns what has arrived into a group: parses messages, dates readings, and
 * applies the limits.
 *
 * @module
 */
import type { ReadingColumns } from "../grid/mod.ts";
import type { Incoming, IncomingRun } from "../mqtt/link.ts";
import {
  PARSE_SLICE_BYTES,
  ProtocolError,
  type ReadingBatch,
} from "../protocol/mod.ts";
import type { Entry, ReadingSources } from "../store/store.ts";
import {
  type Arrival,
  isRun,
  messageOf,
  payloadBytesOf,
  spanBytesOf,
} from "./arrival.ts";
import type { ServerContext } from "./context.ts";
import { GroupParser, RUN_SLICE_MESSAGES } from "./group_parser.ts";
import type { Reports } from "./reports.ts";
import type { Submission } from "./submission.ts";

/**
 * Readings of one entry: applied at once, in some milliseconds. A larger batch
 * becomes several entries of one commit, each with its revision.
 */
const MAX_ENTRY_READINGS = 8192;

/**
 * Time for small messages before a pause, in ms: invalid ones take much longer
 * than others.
 */
const SMALL_SLICE_MS = 2;
/** Messages after which the time is checked. */
const SMALL_SLICE_MESSAGES = 64;

/** An entry, and where its readings are from. */
export interface GroupEntry {
  readonly entry: Entry;
  /** The batch that contains the readings; undefined for other entries. */
  readonly batch?: ReadingBatch;
  /** The index of the first reading in the batch. */
  readonly from?: number;
  /** Undefined if the readings are from messages. */
  readonly submission?: Submission;
}

/** Messages, submissions and entries that are committed together. */
export interface Group {
  readonly messages: readonly Arrival[];
  readonly requests: readonly Incoming[];
  readonly entries: readonly GroupEntry[];
  readonly submissions: readonly Submission[];
}

/** Returns a group of entries of the server itself. */
export function groupOf(entries: readonly Entry[]): Group {
  return {
    messages: [],
    requests: [],
    entries: entries.map((entry) => ({ entry })),
    submissions: [],
  };
}

/** What has arrived since the last group. */
export interface Arrived {
  readonly messages: readonly Arrival[];
  /** When the first ones of them arrived, ms since 1970; the others: now. */
  readonly arrivals: readonly number[];
  readonly submissions: readonly Submission[];
  /** Returns true for a request that was answered already; called once. */
  readonly isAnswered: (request: Incoming) => boolean;
}

/** Reads groups. The readings of a group are valid until `parser.clear()`. */
export class GroupReader {
  /** The readings of the last group. */
  readonly parser: GroupParser;
  readonly #context: ServerContext;

  constructor(context: ServerContext, reports: Pick<Reports, "addReadings">) {
    this.#context = context;
    this.parser = new GroupParser(context, reports);
  }

  /** Reads a group. */
  *read(arrived: Arrived): Generator<void, Group, void> {
    const { clock, map, cellLimiter, store } = this.#context;
    const isShared = store.shared !== undefined;
    const { parser } = this;
    const { messages, submissions } = arrived;
    const now = clock.now();
    const requests: Incoming[] = [];
    for (let i = 0; i < messages.length;) {
      if (isLarge(messages[i]!)) {
        yield* this.#readLarge(arrived, i++, now, requests);
      } else i = this.#readSmall(arrived, i, now, requests);
      if (i < messages.length) yield;
    }
    const accepted = submissions.filter((one) => this.#reserve(one));
    for (const submission of accepted) submission.date(now, clock);
    yield* cellLimiter.limit([
      ...parser.limited(),
      ...accepted.map((submission) => submission.limited()),
    ], now + map.ageing.maxSkew);
    const entries: GroupEntry[] = [];
    for (const [layer, batch] of parser.batches()) {
      addEntries(entries, { now, layer, batch, isShared });
    }
    for (const submission of accepted) {
      const { layer, batch } = submission;
      addEntries(entries, { now, layer, batch, isShared, submission });
    }
    return { messages, requests, entries, submissions: accepted };
  }

  /**
   * Reads messages up to a large one, or until they are a slice. Not a
   * generator, because these are slower.
   *
   * @returns the index of the next message
   */
  #readSmall(
    { messages, arrivals, isAnswered }: Arrived,
    from: number,
    now: number,
    requests: Incoming[],
  ): number {
    const { topics, telemetry } = this.#context;
    const { parser } = this;
    let bytes = 0;
    let i = from;
    const end = performance.now() + SMALL_SLICE_MS;
    for (; i < messages.length && bytes < PARSE_SLICE_BYTES; i++) {
      const isChecked = (i - from) % SMALL_SLICE_MESSAGES === 0 && i > from;
      if (isChecked && performance.now() > end) break;
      const message = messages[i]!;
      if (isLarge(message)) break;
      const size = spanBytesOf(message);
      bytes += size;
      if (isLost(message)) continue;
      const received = Math.min(arrivals[i] ?? now, now);
      if (isRun(message)) {
        const { count } = message;
        parser.addRun(message, 0, count, received, now);
        telemetry.countMessages(count, payloadBytesOf(message));
      } else if (message.topic !== topics.request) {
        parser.add(message, received, now);
        telemetry.countMessage(size);
      } else if (!isAnswered(message)) requests.push(message);
    }
    return i;
  }

  *#readLarge(
    { messages, arrivals, isAnswered }: Arrived,
    index: number,
    now: number,
    requests: Incoming[],
  ): Generator<void, void, void> {
    const { topics, telemetry } = this.#context;
    const message = messages[index]!;
    if (isLost(message)) return;
    const received = Math.min(arrivals[index] ?? now, now);
    if (isRun(message)) {
      yield* this.#readLargeRun(message, received, now);
      telemetry.countMessages(message.count, payloadBytesOf(message));
      return;
    }
    if (message.topic === topics.request) {
      if (!isAnswered(message)) requests.push(message);
      return;
    }
    yield* this.parser.addInSlices(message, received, now);
    telemetry.countMessage(message.payload.length);
  }

  *#readLargeRun(
    run: IncomingRun,
    received: number,
    now: number,
  ): Generator<void, void, void> {
    const { starts, ends, count } = run;
    for (let from = 0; from < count;) {
      let to = from;
      const limit = starts[from]! + PARSE_SLICE_BYTES;
      while (to < count && ends[to]! <= limit) to++;
      if (to > from) from = this.parser.addRun(run, from, to, received, now);
      else {
        const message = messageOf(run, from++);
        yield* this.parser.addInSlices(message, received, now);
      }
      if (from < count) yield;
    }
  }

  /** Returns false if the layer of a submission would be one too many. */
  #reserve(submission: Submission): boolean {
    try {
      this.parser.reserve(submission.layer);
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      submission.refuse(error);
      return false;
    }
  }
}

/** Returns true if reading it may take some milliseconds. */
function isLarge(arrival: Arrival): boolean {
  return spanBytesOf(arrival) > PARSE_SLICE_BYTES ||
    isRun(arrival) && arrival.count > RUN_SLICE_MESSAGES;
}

/**
 * Returns true for a message of a session that another server has again: it gets
 * the message, and knows for how long it may have waited.
 */
function isLost(arrival: Arrival): boolean {
  return !isRun(arrival) && arrival.qos > 0 && arrival.session?.isLost === true;
}

function addEntries(
  entries: GroupEntry[],
  { now, layer, batch, isShared, submission }: {
    readonly now: number;
    readonly layer: string;
    readonly batch: ReadingBatch;
    /** True if other servers learn the sources from the entries. */
    readonly isShared: boolean;
    readonly submission?: Submission;
  },
): void {
  for (let from = 0; from < batch.length; from += MAX_ENTRY_READINGS) {
    const readings = batch.length <= MAX_ENTRY_READINGS
      ? batch
      : columnsOf(batch, from);
    const sources = isShared && batch.sources.length > 1
      ? sourcesOf(batch, from, from + readings.length)
      : undefined;
    entries.push({
      entry: {
        kind: "apply",
        layer,
        readings,
        now,
        ...(sources && { sources }),
      },
      batch,
      from,
      ...(submission && { submission }),
    });
  }
}

/** Returns a view of the sources of some of the readings. */
function sourcesOf(
  { sources, sourceIndex }: ReadingBatch,
  from: number,
  to: number,
): ReadingSources {
  return { sources, sourceIndex: sourceIndex.subarray(from, to) };
}

/** Returns a view of some of the readings. */
function columnsOf(batch: ReadingBatch, from: number): ReadingColumns {
  const to = Math.min(from + MAX_ENTRY_READINGS, batch.length);
  return {
    length: to - from,
    x: batch.x.subarray(from, to),
    y: batch.y.subarray(from, to),
    value: batch.value.subarray(from, to),
    time: batch.time.subarray(from, to),
  };
}
