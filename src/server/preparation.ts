/**
 * What is awaited before some requests can be answered: zones that are up to
 * date, and answers of the history.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";
import { type ParsedRequest, ProtocolError } from "../protocol/mod.ts";
import {
  isPastRequest,
  type PastAnswer,
  type PastQuestions,
  type PastRequest,
  withHint,
} from "./past_questions.ts";
import { requestError } from "./reply_job.ts";
import type { ZonesMoment, ZoneStates } from "./zones_job.ts";

/** What was awaited. */
export interface Prepared {
  /** It has the effects of everything before the request of this rank. */
  readonly rank: number;
  /** When the zones were brought up to date. */
  readonly zones?: ZonesMoment;
  /** What the history has answered. */
  readonly answer?: PastAnswer;
  /** Why there is no answer. */
  readonly error?: unknown;
  /** Frees the place of the answer; safe to call twice. */
  release?(): void;
}

/** Prepares requests. */
export class Preparation {
  readonly #map: OccupancyMap;
  readonly #zones: ZoneStates;
  readonly #questions: PastQuestions;
  #zonesAt: ZonesMoment = { now: 0, revision: 0, rank: 0 };

  constructor(
    { map }: { readonly map: OccupancyMap },
    zones: ZoneStates,
    questions: PastQuestions,
  ) {
    this.#map = map;
    this.#zones = zones;
    this.#questions = questions;
  }

  /** Returns true if a request cannot be answered at once. */
  isNeeded(request: ParsedRequest): boolean {
    return request.kind === "zones" || isPastRequest(request);
  }

  /**
   * Prepares a request. Never rejects.
   *
   * @param now the time at which the map is correct, ms since 1970
   * @param rank that of the next request that arrives
   */
  async prepare(
    request: ParsedRequest,
    now: number,
    rank: () => number,
  ): Promise<Prepared> {
    if (isPastRequest(request)) return await this.#ask(request, rank);
    const moment = { now, revision: this.#map.revision, rank: rank() };
    await this.#zones.updated();
    if (moment.rank > this.#zonesAt.rank) this.#zonesAt = moment;
    // The states are read later: after further updates, as they are then.
    const latest = () => this.#zonesAt;
    return {
      get rank() {
        return latest().rank;
      },
      get zones() {
        return latest();
      },
    };
  }

  async #ask(request: PastRequest, rank: () => number): Promise<Prepared> {
    const release = await this.#questions.begin();
    const begun = { rank: rank(), release };
    try {
      return { ...begun, answer: await this.#questions.ask(request) };
    } catch (error) {
      const refusal = withHint(error);
      return {
        ...begun,
        error: refusal instanceof ProtocolError
          ? requestError(request, refusal)
          : refusal,
      };
    }
  }
}
