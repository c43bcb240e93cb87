/**
 * What the server publishes about the sources of readings: their list, their
 * events, and their names in topics.
 *
 * @module
 */

import { encodeText } from "./text.ts";

/** What has arrived of one source, or of several together. */
export interface SourceActivity {
  /** When the first reading arrived, accepted or refused, ms since 1970. */
  readonly first: number;
  /** When the last reading arrived, accepted or refused, ms since 1970. */
  readonly last: number;
  /** Accepted readings. */
  readonly readings: number;
  /**
   * Accepted readings per second: over the last minute, or since `first` if
   * that is later.
   */
  readonly rate: number;
  /** Refused readings; a payload that is not readable counts as one. */
  readonly refused: number;
  /** The last refused one. Absent if none was refused. */
  readonly lastRefused?: {
    /** Why, as in reports about refused readings. */
    readonly code: string;
    /** When it arrived, ms since 1970. */
    readonly time: number;
  };
}

/** A source. */
export interface SourceState extends SourceActivity {
  /** Its name, as in its readings. */
  readonly source: string;
  /** True if it is silent: see {@linkcode SourceList.silentAfter}. */
  readonly silent: boolean;
}

/** The sources of a server. */
export interface SourceList {
  /** The server's clock, ms since 1970. */
  readonly time: number;
  /** When the server began the list, ms since 1970: it is not stored. */
  readonly began: number;
  /**
   * A source without a reading for this time is silent, in ms. Absent if the
   * server does not decide which sources are silent.
   */
  readonly silentAfter?: number;
  /** How many sources the server knows. */
  readonly total: number;
  /** How many of them are silent. */
  readonly silent: number;
  /** Silent ones first, then those without a reading for the longest time. */
  readonly sources: readonly SourceState[];
  /** Readings that name no source. Absent if there were none. */
  readonly unnamed?: SourceActivity;
  /**
   * Readings of sources that are not listed, because there are too many. Absent
   * if there were none.
   */
  readonly unlisted?: SourceActivity;
}

/** Which sources a list has. */
export interface SourceQuery {
  /** Maximum number of sources. Default: all. */
  readonly limit?: number | undefined;
  /** Only those whose name contains this, in upper or lower case. */
  readonly contains?: string | undefined;
}

/** A source has become silent, or is back. */
export interface SourceEvent {
  /** Its name. */
  readonly source: string;
  /** What has happened. */
  readonly event: "silent" | "back";
  /** When the server has noticed it, ms since 1970. */
  readonly time: number;
  /** When the last reading before the silence arrived, ms since 1970. */
  readonly last: number;
}

/**
 * Encodes an event as JSON.
 *
 * @param event the event
 * @returns the payload
 */
export function encodeSourceEvent(event: SourceEvent): Uint8Array<ArrayBuffer> {
  const { source, event: what, time, last } = event;
  return encodeText(JSON.stringify({ source, event: what, time, last }));
}

/**
 * Characters of a name that are encoded: those that have a meaning in topics
 * (MQTT 5, 4.7), `%`, and those that no topic may contain.
 */
const ENCODED = /[%/+#\ufffd\p{Cc}\p{Noncharacter_Code_Point}]/gu;

/**
 * Returns a name as one topic level: `/`, `+`, `#`, `%` and characters that no
 * topic may contain are percent-encoded in UTF-8 (RFC 3986, 2.1). Different
 * names have different levels; `decodeURIComponent()` is the inverse.
 *
 * @param name not empty, well-formed Unicode
 */
export function sourceLevel(name: string): string {
  return name.replaceAll(ENCODED, (character) => encodeURIComponent(character));
}
