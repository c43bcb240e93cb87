/**
 * Readings that arrive over HTTP: they join a group of the pipeline, and their
 * sender receives the result.
 *
 * @module
 */
import type { ApplyResult } from "../grid/mod.ts";
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  type Refusal,
  type Refusals,
} from "../protocol/mod.ts";
import type {
  SubmissionResult,
  UnavailableCode,
} from "../protocol/submission.ts";
import type { Entry } from "../store/store.ts";
import type { ReceiptClock } from "./receipt_clock.ts";
import {
  FUTURE_MESSAGE,
  LATE_MESSAGE,
  refusedInputs,
  type Reports,
} from "./reports.ts";
import type { Telemetry } from "./telemetry.ts";

/** A parsed payload in the pipeline. */
export class Submission {
  readonly layer: string;
  /** Readings that the parser refused. */
  readonly refusals: Refusals;
  readonly #batch = new ReadingBatch();
  readonly #result = Promise.withResolvers<SubmissionResult>();

  /**
   * @param layer a valid name
   * @param payload as on a data topic
   * @param contentType as in {@linkcode parseReadings}
   * @throws {ProtocolError} if the payload as a whole is not valid
   */
  constructor(layer: string, payload: Uint8Array, contentType?: string) {
    this.layer = layer;
    this.refusals = parseReadings(payload, this.#batch, { contentType });
  }

  /** Resolves when one of the methods below is called. */
  get result(): Promise<SubmissionResult> {
    return this.#result.promise;
  }

  /** Returns the readings to commit; undefined if all were refused. */
  entry(
    now: number,
    clock: Pick<ReceiptClock, "dateSubmitted">,
  ): Entry | undefined {
    const { layer } = this;
    const { x, y, time, length } = this.#batch;
    if (length === 0) return undefined;
    for (let i = 0; i < length; i++) {
      if (Number.isNaN(time[i])) {
        time[i] = clock.dateSubmitted(layer, x[i]!, y[i]!, now);
      }
    }
    return { kind: "apply", layer, readings: this.#batch, now };
  }

  /** Call when the readings are committed and in the map. */
  complete(applied: ApplyResult | undefined, revision: number): void {
    const { changed = 0, renewed = 0, late = 0, future = 0 } = applied ?? {};
    const byCode = new Map(this.refusals.byCode);
    const problems: Refusal[] = [...this.refusals.kept];
    const refuse = (code: string, message: string, count: number) => {
      if (count === 0) return;
      byCode.set(code, (byCode.get(code) ?? 0) + count);
      problems.push({ code, message });
    };
    refuse("late", LATE_MESSAGE, late);
    refuse("future", FUTURE_MESSAGE, future);
    this.#result.resolve({
      outcome: "committed",
      accepted: changed + renewed,
      changed,
      refused: this.refusals.total + late + future,
      refusedByCode: byCode,
      problems,
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

/**
 * Submits a payload of readings. Refused readings are counted and reported as
 * if they had arrived on the data topic.
 *
 * @returns resolves when the readings are in the map, or refused
 */
export async function submit(
  { layer, payload, contentType, topic }: SubmittedPayload,
  pipeline: { submit(submission: Submission): void },
  reports: Pick<Reports, "add">,
  telemetry: Pick<Telemetry, "countMessage">,
): Promise<SubmissionResult> {
  const report = ({ code, message }: { code: string; message: string }) =>
    reports.add({ topic, code, message, count: 1 });
  let submission: Submission;
  try {
    submission = new Submission(layer, payload, contentType);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    telemetry.countMessage(payload.length);
    report(error);
    return invalid(error);
  }
  pipeline.submit(submission);
  const result = await submission.result;
  if (result.outcome !== "unavailable") telemetry.countMessage(payload.length);
  if (result.outcome === "invalid") report(result);
  if (result.outcome === "committed") {
    for (const refused of refusedInputs(submission.refusals, topic)) {
      reports.add(refused);
    }
  }
  return result;
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
