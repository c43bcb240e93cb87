/**
 * Writes the states of zones for a reply, in slices.
 *
 * @module
 */
import {
  encodeZonesHeader,
  MIN_PART_BYTES,
  type ParsedRequest,
  type PartList,
  ProtocolError,
  type ZonesReplyOptions,
  ZonesReplyWriter,
  type ZonesRequest,
} from "../protocol/mod.ts";
import { quote } from "../protocol/text.ts";
import type { ZoneService, ZoneState } from "../zones/mod.ts";
import type { Reply, ReplyBody } from "./reply.ts";
import { ReplyJob, requestError, tooLarge, withHeaders } from "./reply_job.ts";

/** Approximate bytes of the state of a zone with a short title. */
const STATE_BYTES = 320;
/** States of a step: less than a millisecond of work. */
const STEP_STATES = 128;
const TOO_LARGE_HINT =
  "Raise the maximum packet size of the broker, or maxBytes of the request.";

/** What requests read of the zones of a server. */
export type ZoneStates = Pick<
  ZoneService,
  "definitions" | "state" | "states" | "updated"
>;

/** When the states of zones were brought up to date. */
export interface ZonesMoment {
  /** The time for which they are correct, ms since 1970. */
  readonly now: number;
  /** The revision of the map; they are of this one or a later one. */
  readonly revision: number;
  /** They have the effects of everything before the request of this rank. */
  readonly rank: number;
}

/** Options of {@linkcode ZonesJob}. */
export interface ZonesJobOptions extends Omit<ZonesMoment, "rank"> {
  readonly zones: ZoneStates;
  /** Maximum payload that the broker accepts, in bytes. */
  readonly maxBytes: number;
}

/** The states of the zones that a request selects, as of the first step. */
export class ZonesJob extends ReplyJob {
  readonly maxBytes: number;
  /** An edit or the end of a hold time changes states, not the map. */
  readonly isCurrent = false;
  protected readonly work: Generator<void, ReplyBody>;
  readonly #request: ZonesRequest;
  readonly #zones: ZoneStates;
  #now: number;
  #revision: number;

  /**
   * Begins to read the states.
   *
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: ZonesRequest, options: ZonesJobOptions) {
    super();
    this.#request = request;
    const { zones, now, revision, maxBytes } = options;
    if (maxBytes < MIN_PART_BYTES) {
      throw tooLarge(request, MIN_PART_BYTES, maxBytes, TOO_LARGE_HINT);
    }
    this.#zones = zones;
    this.#now = now;
    this.#revision = revision;
    const partBytes = Math.min(request.maxBytes, maxBytes);
    const count = request.names?.length ?? zones.definitions.size;
    this.maxBytes = withHeaders(STATE_BYTES * count, partBytes);
    this.work = this.#written(partBytes);
  }

  get now(): number {
    return this.#now;
  }

  replyTo(request: ParsedRequest): Reply | undefined {
    const { replyTopic: topic, correlationData } = request;
    const body = request === this.#request
      ? this.body
      : this.withHeader(encodeZonesHeader(this.#headerFor(request)), "json");
    if (body === undefined) return undefined;
    return { topic, body, correlationData, contentType: "application/json" };
  }

  /** @throws {RequestError} "no-zone" or "too-large" */
  *#written(partBytes: number): Generator<void, PartList> {
    const request = this.#request;
    const states = selected(request, this.#zones);
    for (const { time, revision } of states) {
      this.#now = Math.max(this.#now, time);
      this.#revision = Math.max(this.#revision, revision);
    }
    const writer = new ZonesReplyWriter({
      ...this.#headerFor(request),
      maxBytes: partBytes,
    });
    for (const [i, state] of states.entries()) {
      if (i % STEP_STATES === STEP_STATES - 1) yield;
      try {
        writer.zone(JSON.stringify(state));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw doesNotFit(request, state, partBytes);
      }
    }
    return writer.end();
  }

  #headerFor(request: ParsedRequest): Omit<ZonesReplyOptions, "maxBytes"> {
    const transaction = request.kind === "zones"
      ? request.transaction
      : undefined;
    return {
      ...(transaction !== undefined && { transaction }),
      revision: this.#revision,
      time: this.#now,
    };
  }
}

/** @throws {RequestError} "no-zone" */
function selected(request: ZonesRequest, zones: ZoneStates): ZoneState[] {
  if (request.names === undefined) return [...zones.states()];
  return request.names.map((name) => {
    const state = zones.state(name);
    if (state !== undefined) return state;
    throw requestError(
      request,
      new ProtocolError("no-zone", `there is no zone ${quote(name)}`),
    );
  });
}

function doesNotFit(
  request: ZonesRequest,
  { zone }: ZoneState,
  partBytes: number,
) {
  const error = new ProtocolError(
    "too-large",
    `the state of the zone ${
      quote(zone)
    } does not fit a part of ${partBytes} bytes`,
    { hint: TOO_LARGE_HINT },
  );
  return requestError(request, error);
}
