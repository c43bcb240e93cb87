/**
 * Readings that arrive over HTTP: they join a group of the pipeline, and their
 * sender receives the result.
 *
 * @module
 */
import { Semaphore } from "../common/semaphore.ts";
import type { ApplyResult, DroppedListener } from "../grid/mod.ts";
import {
  PARSE_SLICE_BYTES,
  parseReadingsInSlices,
  ProtocolError,
  ReadingBatch,
  type Refusals,
} from "../protocol/mod.ts";
import type {
  SubmissionResult,
  UnavailableCode,
} from "../protocol/submission.ts";
import type { ReceiptClock } from "./receipt_clock.ts";
import type { LimitedReadings } from "./cell_limiter.ts";
import {
  addDropped,
  addRefused,
  refusedInputs,
  refusedPayload,
  type Reports,
  TOO_MANY_CELLS,
} from "./reports.ts";
import type { Telemetry } from "./telemetry.ts";
import { inTurns } from "../common/turns.ts";

/**
 * Payload bytes of submissions that are parsed and committed at the same time,
 * of small and of large ones each, unless a single one is larger. Their readings
 * need up to ten times as much.
 */
const MAX_PARSED_BYTES = 1024 * 1024;

/** A parsed payload in the pipeline. */
export class Submission {
  readonly layer: string;
  /** The readings that were not refused. */
  readonly batch: ReadingBatch;
  /** Readings that the parser, the map or a limit refused. */
  readonly refusals: Refusals;
  readonly #result = Promise.withResolvers<SubmissionResult>();

  /**
   * @param layer a valid name
   * @param batch the valid readings
   * @param refusals the others
   */
  constructor(layer: string, batch: ReadingBatch, refusals: Refusals) {
    this.layer = layer;
    this.batch = batch;
    this.refusals = refusals;
  }

  /** The first source that the payload names. */
  get source(): string | undefined {
    return this.batch.sources[1];
  }

  /** Resolves when one of the methods below is called. */
  get result(): Promise<SubmissionResult> {
    return this.#result.promise;
  }

  /** Dates the readings. */
  date(
    now: number,
    clock: Pick<ReceiptClock, "dateSubmitted" | "limitTime">,
  ): void {
    const { layer } = this;
    const { x, y, time, length } = this.batch;
    for (let i = 0; i < length; i++) {
      const ms = time[i]!;
      if (Number.isNaN(ms)) {
        time[i] = clock.dateSubmitted(layer, x[i]!, y[i]!, now);
      } else if (ms > now) {
        time[i] = clock.limitTime(layer, x[i]!, y[i]!, ms, now, now);
      }
    }
  }

  /** Returns the readings, for {@linkcode CellLimiter.limit}. */
  limited(): LimitedReadings {
    const { layer, refusals } = this;
    const batch = this.batch;
    const onRefused = (index: number, reason: string) =>
      addRefused(refusals, batch, index, 0, TOO_MANY_CELLS, reason);
    return { layer, batch, starts: [0], onRefused };
  }

  /** Adds a reading that the map drops to {@linkcode refusals}. */
  readonly onDropped: DroppedListener = (index, code) =>
    addDropped(this.refusals, this.batch, index, 0, code);

  /**
   * Call when the readings are committed and in the map.
   *
   * @param applied the results of their parts
   * @param revision of their layer
   */
  complete(applied: readonly ApplyResult[], revision: number): void {
    const changed = applied.reduce((sum, { changed }) => sum + changed, 0);
    const renewed = applied.reduce((sum, { renewed }) => sum + renewed, 0);
    const { total, byCode, kept } = this.refusals;
    this.#result.resolve({
      outcome: "committed",
      accepted: changed + renewed,
      changed,
      refused: total,
      refusedByCode: byCode,
      problems: kept,
      revision,
    });
  }

  /** Call if the map cannot accept the readings. */
  refuse(error: ProtocolError): void {
    this.#result.resolve(invalid(error));
  }

  /** Call if the readings were not stored. */
  fail(code: UnavailableCode, message: string): void {
    this.#result.resolve(unavailable(code, message));
  }
}

/** A payload of readings that did not arrive over MQTT. */
export interface SubmittedPayload {
  /** A valid name. */
  readonly layer: string;
  /** Must not be changed until the result is known. */
  readonly payload: Uint8Array;
  /** As in an MQTT 5 message. */
  readonly contentType: string | undefined;
  /** The data topic of the layer, for reports. */
  readonly topic: string;
}

/** Receives payloads, and submits their readings to the pipeline. */
export class Submitter {
  readonly #pipeline: { submit(submission: Submission): void };
  readonly #reports: Pick<Reports, "addReadings">;
  readonly #telemetry: Pick<Telemetry, "countMessage">;
  /** Separate, so that no small payload waits for large ones. */
  readonly #small = new Semaphore(MAX_PARSED_BYTES);
  readonly #large = new Semaphore(MAX_PARSED_BYTES);

  constructor(
    pipeline: { submit(submission: Submission): void },
    reports: Pick<Reports, "addReadings">,
    telemetry: Pick<Telemetry, "countMessage">,
  ) {
    this.#pipeline = pipeline;
    this.#reports = reports;
    this.#telemetry = telemetry;
  }

  /**
   * Submits a payload of readings. Refused readings are counted and reported as
   * if they had arrived on the data topic.
   *
   * @returns resolves when the readings are in the map, or refused
   */
  submit(submitted: SubmittedPayload): Promise<SubmissionResult> {
    const { length } = submitted.payload;
    const group = length <= PARSE_SLICE_BYTES ? this.#small : this.#large;
    return group.run(length, () => this.#process(submitted));
  }

  async #process(
    { layer, payload, contentType, topic }: SubmittedPayload,
  ): Promise<SubmissionResult> {
    const report = (
      refused: { code: string; message: string },
      source?: string,
    ) => this.#reports.addReadings(refusedPayload(topic, refused, source));
    const batch = new ReadingBatch();
    let refusals: Refusals;
    try {
      const options = { contentType, layer };
      const parsing = parseReadingsInSlices(payload, batch, options);
      refusals = await inTurns(parsing);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#telemetry.countMessage(payload.length);
      report(error, error.source);
      return invalid(error);
    }
    const submission = new Submission(layer, batch, refusals);
    this.#pipeline.submit(submission);
    const result = await submission.result;
    if (result.outcome !== "unavailable") {
      this.#telemetry.countMessage(payload.length);
    }
    if (result.outcome === "invalid") report(result, submission.source);
    if (result.outcome === "committed") {
      for (const refused of refusedInputs(submission.refusals, topic)) {
        this.#reports.addReadings(refused);
      }
    }
    return result;
  }
}

function invalid({ code, message, hint }: ProtocolError): SubmissionResult {
  return { outcome: "invalid", code, message, hint };
}

/** Returns the result of a submission that the server does not accept now. */
export function unavailable(
  code: UnavailableCode,
  message: string,
): SubmissionResult {
  return { outcome: "unavailable", code, message };
}
