/**
 * Answers requests for the map.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import {
  type MapRequest,
  parseRequest,
  ProtocolError,
  type ReplyRouting,
  RequestError,
} from "../protocol/mod.ts";
import {
  emptyReply,
  type Reply,
  writeErrorReply,
  writeReply,
} from "./reply.ts";
import type { ServerContext } from "./context.ts";
import { Outbox } from "./outbox.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Reports } from "./reports.ts";

const RETAINED_MESSAGE =
  "a retained request is not answered: publish it without retain, and clear it";

/** Parses requests, and sends a reply or an error reply to each. */
export class RequestHandler {
  readonly #context: ServerContext;
  readonly #reports: Pick<Reports, "add" | "publishKept">;
  readonly #pipeline: Pick<Pipeline, "refresh">;
  readonly #outbox: Outbox;

  constructor(
    context: ServerContext,
    reports: Pick<Reports, "add" | "publishKept">,
    pipeline: Pick<Pipeline, "refresh">,
  ) {
    this.#context = context;
    this.#reports = reports;
    this.#pipeline = pipeline;
    this.#outbox = new Outbox(context);
  }

  /**
   * Answers a request. An invalid one gets an error reply. A retained one gets
   * none: its sender asked before, and the broker delivers it at each start.
   */
  answer(message: Incoming): void {
    const { topics, telemetry: { stats } } = this.#context;
    if (message.retain) {
      this.#report("retained", RETAINED_MESSAGE, message.topic);
      return;
    }
    stats.requests++;
    // The sender may wait for the reports about its readings.
    this.#reports.publishKept();
    let request: MapRequest;
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
      this.#send(message, error, () => writeErrorReply(error));
      return;
    }
    if (request.kind === "original" && request.malformed !== undefined) {
      const { code, message: reason } = request.malformed;
      this.#report(code, reason, message.topic);
    }
    this.#send(message, request, () => this.#reply(request));
  }

  /** Resolves when all replies have been sent or have failed. */
  drained(): Promise<void> {
    return this.#outbox.drained();
  }

  #reply(request: MapRequest): Reply {
    const { link, topics, map, clock, status, displayOf } = this.#context;
    const now = this.#pipeline.refresh();
    const { storeProblem } = status;
    if (storeProblem !== undefined && request.kind === "map") {
      const error = new ProtocolError("store-failing", storeProblem.message);
      return writeErrorReply(
        new RequestError(error, request, request.transaction),
      );
    }
    const { replyTopic, correlationData } = request;
    try {
      return writeReply(request, map, {
        now: now ?? clock.now(),
        displayOf,
        maxBytes: link.maxPayload?.(replyTopic, { correlationData }),
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#report(error.code, error.message, topics.request);
      // The original scripts would read an error reply as a map.
      return request.kind === "map"
        ? writeErrorReply(error)
        : emptyReply(error);
    }
  }

  #send(message: Incoming, routing: ReplyRouting, write: () => Reply): void {
    const { topics, telemetry } = this.#context;
    const isAccepted = this.#outbox.send(write, {
      retainedBytes: routing.correlationData?.length,
      onSent: () => telemetry.replySent(message),
    });
    if (isAccepted) return;
    this.#report(
      "overloaded",
      "too many requests wait for a reply",
      topics.request,
    );
  }

  #report(code: string, message: string, topic: string): void {
    this.#reports.add({ topic, code, message, count: 1 });
  }
}
