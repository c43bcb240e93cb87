/**
 * Counts how often a limit was reached.
 *
 * @module
 */

/** The names of all limits, as in the table of docs/SECURITY.md. */
export const LIMIT_NAMES = [
  "client-id-conflict",
  "group-barriers",
  "group-members",
  "history-size",
  "home-assistant-zones",
  "http-body-bytes",
  "http-connections",
  "http-connections-per-address",
  "http-foreign-origin",
  "http-head-bytes",
  "http-large-responses",
  "http-pipelined",
  "http-request-timeout",
  "http-requests",
  "http-response-stall",
  "http-snapshot-bytes",
  "http-streams",
  "http-viewers",
  "http-websocket-message",
  "http-wrong-token",
  "http-wrong-token-delays",
  "http-zone-edits",
  "large-replies",
  "log-lines",
  "mqtt-connect-timeout",
  "mqtt-connections",
  "mqtt-connections-per-address",
  "mqtt-connections-per-second",
  "mqtt-foreign-origin",
  "mqtt-incomplete-bytes",
  "mqtt-logins",
  "mqtt-packet-bytes",
  "mqtt-receive-maximum",
  "mqtt-retained",
  "mqtt-session-bytes",
  "mqtt-session-queue",
  "mqtt-sessions",
  "mqtt-stalled-reader",
  "mqtt-subscriptions",
  "mqtt-topic-levels",
  "mqtt-unreleased",
  "mqtt-unsent-bytes",
  "mqtt-websocket-message",
  "mqtt-wrong-login",
  "replies-without-subscriber",
  "reply-restarts",
  "requests",
  "server-state",
  "slow-replies",
  "sources",
  "webhook-queue",
  "zone-events",
  "zone-messages",
] as const;

/** The name of a limit: a constant, never input of a client. */
export type LimitName = typeof LIMIT_NAMES[number];

/**
 * Counts by limit: what was refused, cut or delayed since the process started.
 * The metric `occupancy_limited_total` shows them.
 */
export class LimitCounts implements Iterable<readonly [LimitName, number]> {
  readonly #counts = new Map<LimitName, number>();

  /**
   * Counts refusals.
   *
   * @param limit what refused
   * @param count how many. Default 1
   */
  add(limit: LimitName, count = 1): void {
    this.#counts.set(limit, this.of(limit) + count);
  }

  /** Returns the count of a limit; 0 if it was never reached. */
  of(limit: LimitName): number {
    return this.#counts.get(limit) ?? 0;
  }

  /** The limits that were reached, with their counts. */
  [Symbol.iterator](): Iterator<readonly [LimitName, number]> {
    return this.#counts.entries();
  }
}
