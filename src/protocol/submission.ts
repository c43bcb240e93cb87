/**
 * The result of a payload of readings whose sender receives an answer, as over
 * HTTP.
 *
 * @module
 */
import type { Refusal } from "./refusals.ts";

/** The result of submitting a payload of readings. */
export type SubmissionResult =
  /** The valid readings are committed and in the map. */
  | {
    readonly outcome: "committed";
    /** Readings that are now the value of their cell, new or repeated. */
    readonly accepted: number;
    /** Accepted readings that changed a cell. */
    readonly changed: number;
    /** Readings that were refused. */
    readonly refused: number;
    /** `refused` by reason. */
    readonly refusedByCode: ReadonlyMap<string, number>;
    /** The first refused readings; `late` and `future` once each, without a line. */
    readonly problems: readonly Refusal[];
    /** The revision of the map that has the readings. */
    readonly revision: number;
  }
  /** The payload as a whole is not valid: nothing was stored. */
  | {
    readonly outcome: "invalid";
    /** One of the error codes of docs/PROTOCOL.md. */
    readonly code: string;
    readonly message: string;
    readonly hint: string | undefined;
  }
  /** Nothing was stored; the client may send it again. */
  | {
    readonly outcome: "unavailable";
    readonly code: UnavailableCode;
    readonly message: string;
  };

/** Why readings cannot be submitted now. */
export type UnavailableCode = "store-failing" | "starting" | "stopping";
