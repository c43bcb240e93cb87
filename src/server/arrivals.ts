/**
 * The messages and submissions that wait for their group.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import { type Arrival, isRun, spanBytesOf } from "./arrival.ts";
import type { Arrived } from "./group_reader.ts";
import type { Submission } from "./submission.ts";

/** Approximate memory of a message or a run besides its payloads. */
const ARRIVAL_OVERHEAD_BYTES = 256;
/** Memory of the position of a message in a run. */
const POSITION_BYTES = 8;
/** A group of this size is processed at once: it makes a commit cheap. */
const FULL_GROUP_BYTES = 256 * 1024;
/**
 * A group has no more messages after this size, as its commit is one step. One
 * turn of the event loop can deliver more, or a store that works again.
 */
const MAX_GROUP_BYTES = 2 * 1024 * 1024;
/** The same for the readings of submissions. */
const MAX_GROUP_READINGS = 128 * 1024;

/** A caller of {@linkcode Arrivals.taken}. */
interface Waiter {
  /** Waits until as many messages and runs were removed... */
  readonly messages: number;
  /** ...and as many submissions. */
  readonly submissions: number;
  readonly resolve: () => void;
}

/** A queue in order of arrival; messages and submissions each in theirs. */
export class Arrivals {
  #messages: Arrival[] = [];
  /** The times at which the first of them arrived, ms since 1970. */
  #times: number[] = [];
  #submissions: Submission[] = [];
  #bytes = 0;
  /** The number of messages and runs that were removed, and of submissions. */
  #takenMessages = 0;
  #takenSubmissions = 0;
  readonly #waiters: Waiter[] = [];
  /** Requests among the messages that were answered already. */
  readonly #answered = new Set<Incoming>();

  /** The number of messages and runs. */
  get messages(): number {
    return this.#messages.length;
  }

  /** Approximate memory of the messages. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0 && this.#submissions.length === 0;
  }

  /** True if the messages are enough for a group. */
  get isFull(): boolean {
    return this.#bytes >= FULL_GROUP_BYTES;
  }

  /** Adds a message or a run. */
  push(message: Arrival): void {
    this.#messages.push(message);
    this.#bytes += sizeOf(message);
  }

  /** Adds a submission. */
  submit(submission: Submission): void {
    this.#submissions.push(submission);
  }

  /** Removes all submissions. */
  takeSubmissions(): readonly Submission[] {
    this.#takenSubmissions += this.#submissions.length;
    return this.#submissions.splice(0);
  }

  /**
   * Sets the time of the messages that have none yet; the others arrive when
   * their group is taken.
   *
   * @param time returns ms since 1970
   * @param onMessage called for each of them
   */
  noteTimes(time: () => number, onMessage: (message: Arrival) => void): void {
    for (const message of this.#messages.slice(this.#times.length)) {
      onMessage(message);
      this.#times.push(time());
    }
  }

  /** Waits for {@linkcode resolveTaken} after all present ones were taken. */
  taken(): Promise<void> {
    const messages = this.#takenMessages + this.#messages.length;
    const submissions = this.#takenSubmissions + this.#submissions.length;
    return new Promise((resolve) =>
      this.#waiters.push({ messages, submissions, resolve })
    );
  }

  /**
   * Call when what was taken is processed.
   *
   * @param all true if also those need not wait whose arrivals were not taken
   */
  resolveTaken(all: boolean): void {
    while (this.#waiters.length > 0) {
      const { messages, submissions, resolve } = this.#waiters[0]!;
      const isTaken = messages <= this.#takenMessages &&
        submissions <= this.#takenSubmissions;
      if (!isTaken && !all) break;
      this.#waiters.shift();
      resolve();
    }
  }

  /** Marks a request as answered: its group does not return it again. */
  markAnswered(request: Incoming): void {
    this.#answered.add(request);
  }

  /** Removes what makes a group: the first ones, at least one of each. */
  take(): Arrived {
    let bytes = 0;
    let count = 0;
    while (count < this.#messages.length && bytes < MAX_GROUP_BYTES) {
      bytes += sizeOf(this.#messages[count++]!);
    }
    let readings = 0;
    let submitted = 0;
    while (
      submitted < this.#submissions.length && readings < MAX_GROUP_READINGS
    ) readings += this.#submissions[submitted++]!.batch.length;
    this.#bytes -= bytes;
    this.#takenMessages += count;
    this.#takenSubmissions += submitted;
    return {
      messages: this.#messages.splice(0, count),
      arrivals: this.#times.splice(0, count),
      submissions: this.#submissions.splice(0, submitted),
      isAnswered: (request) => this.#answered.delete(request),
    };
  }
}

/** Returns the approximate memory of a message or a run. */
function sizeOf(arrival: Arrival): number {
  const positions = isRun(arrival) ? arrival.count * POSITION_BYTES : 0;
  return spanBytesOf(arrival) + positions + ARRIVAL_OVERHEAD_BYTES;
}
