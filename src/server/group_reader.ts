/**
 * Turns what has arrived into a group: parses messages, dates readings, and
 * applies the limits.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import { ProtocolError } from "../protocol/mod.ts";
import type { Entry } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import { GroupParser } from "./group_parser.ts";
import type { Reports } from "./reports.ts";
import type { Submission } from "./submission.ts";

/** Messages, submissions and entries that are committed together. */
export interface Group {
  readonly messages: readonly Incoming[];
  readonly requests: readonly Incoming[];
  readonly entries: readonly Entry[];
  readonly submissions: readonly PendingSubmission[];
}

/** A submission of a group. */
export interface PendingSubmission {
  readonly submission: Submission;
  /** Also an entry of the group; undefined if all readings were refused. */
  readonly entry: Entry | undefined;
}

/** What has arrived since the last group. */
export interface Arrived {
  readonly messages: readonly Incoming[];
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

  constructor(context: ServerContext, reports: Pick<Reports, "add">) {
    this.#context = context;
    this.parser = new GroupParser(context, reports);
  }

  /** Reads a group. */
  read({ messages, arrivals, submissions, isAnswered }: Arrived): Group {
    const { clock, topics, telemetry, map, cellLimiter } = this.#context;
    const { parser } = this;
    const now = clock.now();
    const requests: Incoming[] = [];
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!;
      if (message.topic !== topics.request) {
        parser.add(message, Math.min(arrivals[i] ?? now, now), now);
        telemetry.countMessage(message.payload.length);
      } else if (!isAnswered(message)) requests.push(message);
    }
    const accepted = submissions.filter((submission) =>
      this.#reserve(submission)
    );
    for (const submission of accepted) submission.date(now, clock);
    cellLimiter.limit([
      ...parser.limited(),
      ...accepted.map((submission) => submission.limited()),
    ], now + map.ageing.maxSkew);
    const entries = parser.entries(now);
    const pending = accepted.map((submission) => {
      const entry = submission.entry(now);
      if (entry !== undefined) entries.push(entry);
      return { submission, entry };
    });
    return { messages, requests, entries, submissions: pending };
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
