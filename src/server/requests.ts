import type { OccupancyMap } from "../grid/mod.ts";
import type { Incoming, Link } from "../mqtt/link.ts";
import {
  type MapRequest,
  parseRequest,
  ProtocolError,
  type ReplyRouting,
  RequestError,
  type Topics,
} from "../protocol/mod.ts";
import type { StoreError } from "../store/store.ts";
import { answer, answerError, noReply, type Reply } from "./answer.ts";
import type { Outbox } from "./outbox.ts";
import type { Complaint } from "./reports.ts";

/** What {@linkcode Requests} is given. */
export interface RequestsOptions {
  readonly link: Pick<Link, "maxPayload">;
  readonly topics: Topics;
  readonly map: OccupancyMap;
  readonly outbox: Outbox;
  /** Told when the broker has the last part of a reply. */
  readonly answered: (request: Incoming) => void;
  readonly complain: (complaint: Complaint) => void;
  /** ms since 1970. */
  readonly clock: () => number;
  /**
   * Lets cells age to the present: returns the time at which the map is right,
   * or undefined if the store fails.
   */
  readonly refresh: () => number | undefined;
  /** Why the store fails just now, if it does. */
  readonly problem: () => StoreError | undefined;
  /** See `MapMoment.began`; asked when it is needed. */
  readonly began: () => number | undefined;
}

/** Reads requests for the map and sends what they are answered. */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** Answers a request, if only with what is wrong with it. */
  answer(message: Incoming): void {
    const { topics } = this.#options;
    let request: MapRequest;
    try {
      request = parseRequest(message.payload, {
        topics,
        responseTopic: message.responseTopic,
        // A copy: it is a view of all that was read at once.
        correlationData: message.correlationData?.slice(),
      });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#complain(error, message.topic);
      this.#send(message, error, () => answerError(error));
      return;
    }
    if (request.kind === "original" && request.malformed !== undefined) {
      this.#options.complain({
        topic: message.topic,
        code: "bad-json",
        message: request.malformed,
        count: 1,
      });
    }
    this.#send(message, request, () => this.#reply(request));
  }

  /** What the map says, at a time at which it is right. */
  #reply(request: MapRequest): Reply {
    const { map, clock, refresh, began } = this.#options;
    const now = refresh();
    const problem = this.#options.problem();
    if (problem !== undefined && request.kind === "map") {
      const error = new ProtocolError("store-failing", problem.message);
      return answerError(
        new RequestError(error, request, request.transaction),
      );
    }
    const { link, topics } = this.#options;
    const { replyTopic, correlationData } = request;
    const room = link.maxPayload?.(replyTopic, { correlationData });
    try {
      return answer(request, map, now ?? clock(), began(), room);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#complain(error, topics.request);
      // What the original scripts would read in an error reply is no map.
      return request.kind === "map" ? answerError(error) : noReply(error);
    }
  }

  #complain({ code, message }: RequestError, topic: string): void {
    this.#options.complain({ topic, code, message, count: 1 });
  }

  #send(message: Incoming, routing: ReplyRouting, write: () => Reply): void {
    const { outbox, answered, complain, topics } = this.#options;
    const holds = routing.correlationData?.length;
    if (outbox.send(write, { holds, sent: () => answered(message) })) return;
    complain({
      topic: topics.request,
      code: "overloaded",
      message: "Too many requests wait for an answer",
      count: 1,
    });
  }
}
