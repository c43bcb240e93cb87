/**
 * The result of a submission: of readings whose sender receives an answer, as
 * over HTTP.
 *
 * @module
 */
import type { Refusal } from "./refusals.ts";

/** The result of submitting a payload of readings. */
export type SubmissionResult =
  /** The valid readings are committed and in the map. */
  | {
    readonly outcome: "committed";
    /** Readings that set or repeated the value of their cell. */
    readonly accepted: number;
    /** Accepted readings that changed a cell. */
    readonly changed: number;
    /** Readings that were refused. */
    readonly refused: number;
    /** Number of refused readings by code. */
    readonly refusedByCode: ReadonlyMap<string, number>;
    /** The first refused readings, at least one of each code. */
    readonly problems: readonly Refusal[];
    /** The revision of the layer after these readings. */
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
  /**
   * Nothing was stored, unless the message says that it may be; the client may
   * send it again.
   */
  | {
    readonly outcome: "unavailable";
    readonly code: UnavailableCode;
    readonly message: string;
  };

/** Why the server cannot accept readings at present. */
export type UnavailableCode = "store-failing" | "starting" | "stopping";
