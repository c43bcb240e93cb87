/**
 * Writes the states of zones for a reply, in slices.
 *
 * @module
 */
import {
  encodeZonesHeader,
  type ParsedRequest,
  type PartList,
  ProtocolError,
  type ZonesReplyOptions,
  ZonesReplyWriter,
  type ZonesRequest,
} from "../protocol/mod.ts";
import { quote } from "../protocol/text.ts";
import type { ZoneService, ZoneState } from "../zones/mod.ts";
import { ListJob } from "./list_job.ts";
import { requestError } from "./reply_job.ts";

/** Approximate bytes of the state of a zone with a short title. */
const STATE_BYTES = 320;
/** States of a step: less than a millisecond of work. */
const STEP_STATES = 128;

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
export class ZonesJob extends ListJob<ZonesRequest> {
  readonly #zones: ZoneStates;
  #now: number;
  #revision: number;

  /**
   * Begins to read the states.
   *
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: ZonesRequest, options: ZonesJobOptions) {
    const { zones, now, revision, maxBytes } = options;
    const count = request.names?.length ?? zones.definitions.size;
    super(request, { count, itemBytes: STATE_BYTES, maxBytes });
    this.#zones = zones;
    this.#now = now;
    this.#revision = revision;
  }

  get now(): number {
    return this.#now;
  }

  protected *write(): Generator<void, PartList> {
    const { request, partBytes } = this;
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
      this.fit(
        () => `the state of the zone ${quote(state.zone)}`,
        () => writer.zone(JSON.stringify(state)),
      );
    }
    return writer.end();
  }

  protected headerStart(request: ParsedRequest): string {
    return encodeZonesHeader(this.#headerFor(request));
  }

  #headerFor(request: ParsedRequest): Omit<ZonesReplyOptions, "maxBytes"> {
    return {
      ...this.transactionOf(request),
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
