/**
 * Answers requests: for the map, its past, zones and sources.
 *
 * @module
 */
import type { HistoryService } from "../history/answers.ts";
import type { Incoming, Link } from "../mqtt/link.ts";
import {
  type ParsedRequest,
  parseRequest,
  ProtocolError,
  RequestError,
} from "../protocol/mod.ts";
import { publishOrWarn, type ServerContext } from "./context.ts";
import type { Pipeline } from "./pipeline.ts";
import { PastQuestions } from "./past_questions.ts";
import { Preparation } from "./preparation.ts";
import { Replies } from "./replies.ts";
import { requestError } from "./reply_job.ts";
import { ReplyJobs } from "./reply_jobs.ts";
import { writeErrorReply } from "./reply.ts";
import type { Reports } from "./reports.ts";
import type { ZoneStates } from "./zones_job.ts";

const RETAINED_MESSAGE =
  "a retained request is not answered: publish it without retain, and clear it";
const OVERLOADED_MESSAGE =
  "too many requests wait for a reply: send requests less often";
/** Topics that get an error reply "overloaded" in one interval, once each. */
const MAX_OVERLOADED_REPLIES = 100;
const OVERLOADED_INTERVAL_MS = 1000;

/** The parts of a server that requests need. */
export interface RequestParts {
  readonly reports: Pick<Reports, "add" | "publishKept">;
  readonly pipeline: Pick<Pipeline, "refresh">;
  readonly zones: ZoneStates;
  /** Returns the history; undefined if none is recorded. */
  readonly history: () => HistoryService | undefined;
}

/**
 * Parses requests, and sends a reply or an error reply to each, on the
 * connection that it arrived on. The replies of each connection have queues and
 * limits of their own, so that a slow broker delays only its own.
 */
export class RequestHandler {
  readonly #context: ServerContext;
  readonly #parts: RequestParts;
  readonly #reports: Pick<Reports, "add" | "publishKept">;
  readonly #questions: PastQuestions;
  readonly #replies = new Map<Link, Replies>();
  /** Topics that got an error reply "overloaded" in this interval. */
  readonly #overloaded = new Set<string>();
  #overloadedSince = -Infinity;

  constructor(context: ServerContext, parts: RequestParts) {
    this.#context = context;
    this.#parts = parts;
    this.#reports = parts.reports;
    const { clock } = context;
    this.#questions = new PastQuestions(parts.history, () => clock.now());
  }

  /**
   * Answers a request. An invalid one gets an error reply. A retained one gets
   * none: its sender asked before, and the broker delivers it at each start. Nor
   * does one from the session of another server that has it again: that one
   * answers it.
   */
  answer(message: Incoming): void {
    if (message.session?.isLost) return;
    const { topics, telemetry } = this.#context;
    if (message.retain) {
      this.#report("retained", RETAINED_MESSAGE, message.topic);
      return;
    }
    telemetry.stats.requests++;
    // The sender may wait for the reports about its readings.
    this.#reports.publishKept();
    const onSent = () => telemetry.replySent(message);
    const link = message.link ?? this.#context.link;
    const replies = this.#repliesOn(link);
    let request: ParsedRequest;
    try {
      request = parseRequest(message.payload, {
        topics,
        responseTopic: message.responseTopic,
        // Copied: a view would retain the whole buffer of the socket.
        correlationData: message.correlationData?.slice(),
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#report(error.code, error.message, message.topic);
      if (!replies.addError(error, onSent)) this.#refuse(error, link);
      return;
    }
    if (request.kind === "original" && request.malformed !== undefined) {
      const { code, message: reason } = request.malformed;
      this.#report(code, reason, message.topic);
    }
    if (!replies.add(request, onSent)) this.#overload(request, link);
  }

  /** Resolves when all replies have been sent or have failed. */
  async drained(): Promise<void> {
    await Promise.all([...this.#replies.values()].map((one) => one.drained()));
  }

  /** Drops the replies that are not published. */
  stop(): void {
    for (const replies of this.#replies.values()) replies.stop();
  }

  #repliesOn(link: Link): Replies {
    let replies = this.#replies.get(link);
    if (replies === undefined) {
      const { pipeline, zones } = this.#parts;
      const onError = ({ code, message }: ProtocolError) =>
        this.#report(code, message, this.#context.topics.request);
      const context = { ...this.#context, link };
      const jobs = new ReplyJobs(context, pipeline, zones);
      const preparation = new Preparation(context, zones, this.#questions);
      replies = new Replies(context, jobs, preparation, onError);
      this.#replies.set(link, replies);
    }
    return replies;
  }

  #overload(request: ParsedRequest, link: Link): void {
    const error = new ProtocolError("overloaded", OVERLOADED_MESSAGE);
    // The original scripts would read an error reply as a map.
    if (request.kind === "original") this.#countOverload();
    else this.#refuse(requestError(request, error), link);
  }

  /** Publishes an error reply before those that wait, if there are few. */
  #refuse(error: RequestError, link: Link): void {
    this.#countOverload();
    const { clock, log } = this.#context;
    const now = clock.now();
    if (Math.abs(now - this.#overloadedSince) >= OVERLOADED_INTERVAL_MS) {
      this.#overloadedSince = now;
      this.#overloaded.clear();
    }
    const { topic, body, correlationData, contentType } = writeErrorReply(
      error,
    );
    if (
      this.#overloaded.has(topic) ||
      this.#overloaded.size >= MAX_OVERLOADED_REPLIES
    ) return;
    this.#overloaded.add(topic);
    void publishOrWarn({ link, log }, topic, body.part(0), {
      correlationData,
      contentType,
    });
  }

  #countOverload(): void {
    const { topics, telemetry } = this.#context;
    telemetry.stats.limited.add("requests");
    this.#report("overloaded", OVERLOADED_MESSAGE, topics.request);
  }

  #report(code: string, message: string, topic: string): void {
    this.#reports.add({ topic, code, message, count: 1 });
  }
}
