/**
 * The replies to one topic, and how many of their parts may be unacknowledged.
 *
 * @module
 */
import type { Reply } from "./reply.ts";

/** Unacknowledged parts of one topic from which a large reply waits. */
const MAX_LARGE_INFLIGHT_PARTS = 32;
/**
 * The same for small replies. More, because the parts are acknowledged late if
 * another client also subscribes to the topic and has just stopped reading.
 */
const MAX_SMALL_INFLIGHT_PARTS = 256;
/**
 * Their maximum bytes, unless a single part has more: far less than the
 * connection to a client or a broker may hold.
 */
const MAX_INFLIGHT_BYTES = 8 * 1024 * 1024;

/** A reply of which not all parts are acknowledged. */
export interface Sending {
  readonly reply: Reply;
  readonly onSent: (() => void) | undefined;
  readonly isLarge: boolean;
  readonly startMs: number;
  /** Number of published parts. */
  next: number;
  /** Unacknowledged parts. */
  inflight: number;
  /** True if a part could not be published, or the rest is not needed. */
  failed: boolean;
}

/** The replies to one topic. */
export interface Lane {
  readonly topic: string;
  /** The reply with parts to publish. */
  current: Sending | undefined;
  inflightParts: number;
  inflightBytes: number;
  /** When a part was acknowledged, or the first one published. */
  progressMs: number;
  /** True if its parts do not count as active. */
  isStalled: boolean;
  /** True while it is in a queue of `Outbox`. */
  isQueued: boolean;
}

/**
 * Returns the lane of a topic without parts.
 *
 * @param nowMs by the clock of the outbox
 */
export function createLane(topic: string, nowMs: number): Lane {
  return {
    topic,
    current: undefined,
    inflightParts: 0,
    inflightBytes: 0,
    progressMs: nowMs,
    isStalled: false,
    isQueued: false,
  };
}

/** Returns true if the topic of the lane may have more unacknowledged parts. */
export function hasRoom(
  { current, inflightParts, inflightBytes }: Lane,
): boolean {
  const maxParts = current?.isLarge
    ? MAX_LARGE_INFLIGHT_PARTS
    : MAX_SMALL_INFLIGHT_PARTS;
  return inflightParts < maxParts && inflightBytes < MAX_INFLIGHT_BYTES;
}
