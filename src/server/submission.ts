import type { ApplyResult } from "../grid/mod.ts";
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  type Refusal,
  type Refusals,
} from "../protocol/mod.ts";
import type { Entry } from "../store/store.ts";
import { type Complaint, complaintsOf, FUTURE, LATE } from "./reports.ts";

/** What became of a payload of readings. */
export type SubmissionResult = KeptResult | InvalidResult | UnavailableResult;

/** The good readings are committed and in the map; some may have been refused. */
export interface KeptResult {
  readonly outcome: "kept";
  /** Readings that are now what the map says, new or repeated. */
  readonly accepted: number;
  /** How many of these changed a cell. */
  readonly changed: number;
  /** How many readings were refused or dropped. */
  readonly refused: number;
  /** How many of these for each reason. */
  readonly refusedByCode: ReadonlyMap<string, number>;
  /** The first of them, with their rows; `late` and `future` once each, without. */
  readonly problems: readonly Refusal[];
  /** The revision of the map that has them. */
  readonly revision: number;
}

/** The payload as a whole is not valid: nothing of it was taken. */
export interface InvalidResult {
  readonly outcome: "invalid";
  /** As in docs/PROTOCOL.md. */
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** It could not be kept just now, and will not be: it may be sent again. */
export interface UnavailableResult {
  readonly outcome: "unavailable";
  readonly code: "store-failing" | "starting" | "stopping";
  readonly message: string;
}

/** When a reading without a time was observed, ms since 1970. */
export type DateReading = (
  layer: string,
  x: number,
  y: number,
  now: number,
) => number;

/**
 * A payload of readings that did not come over the link, on its way through the
 * pipeline: its sender waits for what becomes of it.
 */
export class Submission {
  readonly layer: string;
  /** Bytes of the payload. */
  readonly bytes: number;
  /** What was refused before it came to the map. */
  readonly refusals: Refusals;
  readonly #batch = new ReadingBatch();
  readonly #settled = Promise.withResolvers<SubmissionResult>();

  /**
   * @param layer a valid name
   * @param payload the same bytes as on a data topic
   * @param contentType as `parseReadings` takes it
   * @throws {ProtocolError} if the payload as a whole is not valid
   */
  constructor(layer: string, payload: Uint8Array, contentType?: string) {
    this.layer = layer;
    this.bytes = payload.length;
    this.refusals = parseReadings(payload, this.#batch, { contentType });
  }

  /** Resolves once it is known what became of it. */
  get result(): Promise<SubmissionResult> {
    return this.#settled.promise;
  }

  /** What is to be kept; undefined if all was refused. */
  entry(now: number, date: DateReading): Entry | undefined {
    const { x, y, time, length } = this.#batch;
    if (length === 0) return undefined;
    for (let i = 0; i < length; i++) {
      if (Number.isNaN(time[i])) {
        time[i] = date(this.layer, x[i]!, y[i]!, now);
      }
    }
    return { kind: "apply", layer: this.layer, readings: this.#batch, now };
  }

  /** It is committed, and the map has it. */
  kept(applied: ApplyResult | undefined, revision: number): void {
    const { changed = 0, renewed = 0, late = 0, future = 0 } = applied ?? {};
    const byCode = new Map(this.refusals.byCode);
    const problems: Refusal[] = [...this.refusals.kept];
    const drop = (code: string, message: string, count: number) => {
      if (count === 0) return;
      byCode.set(code, (byCode.get(code) ?? 0) + count);
      problems.push({ code, message });
    };
    drop("late", LATE, late);
    drop("future", FUTURE, future);
    this.#settled.resolve({
      outcome: "kept",
      accepted: changed + renewed,
      changed,
      refused: this.refusals.total + late + future,
      refusedByCode: byCode,
      problems,
      revision,
    });
  }

  /** None of it may be kept. */
  refused({ code, message, hint }: ProtocolError): void {
    this.#settled.resolve({ outcome: "invalid", code, message, hint });
  }

  /** It was not kept. */
  failed(code: UnavailableResult["code"], message: string): void {
    this.#settled.resolve({ outcome: "unavailable", code, message });
  }
}

/** What {@linkcode submit} hands on to. */
export interface SubmitOptions {
  /** The data topic of the layer, for what is said of refused readings. */
  readonly topic: string;
  /** Takes it into the next commit. */
  readonly push: (submission: Submission) => void;
  readonly complain: (complaint: Complaint) => void;
}

/**
 * Takes a payload in. What is refused is counted and reported as if it had come
 * on the data topic.
 *
 * @returns what became of it, once it is committed and in the map
 */
export async function submit(
  layer: string,
  payload: Uint8Array,
  contentType: string | undefined,
  { topic, push, complain }: SubmitOptions,
): Promise<SubmissionResult> {
  let submission: Submission;
  try {
    submission = new Submission(layer, payload, contentType);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message, hint } = error;
    complain({ topic, code, message, count: 1 });
    return { outcome: "invalid", code, message, hint };
  }
  push(submission);
  const result = await submission.result;
  if (result.outcome === "kept") {
    complaintsOf(submission.refusals, topic).forEach(complain);
  } else if (result.outcome === "invalid") {
    const { code, message } = result;
    complain({ topic, code, message, count: 1 });
  }
  return result;
}

/** What becomes of a payload that comes too early or too late. */
export function unavailable(
  code: "starting" | "stopping",
  message: string,
): SubmissionResult {
  return { outcome: "unavailable", code, message };
}
