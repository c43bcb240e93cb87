/**
 * Detects two clients with the same client id, and how long to wait then.
 *
 * @module
 */
import { backoffMs } from "../common/backoff.ts";
import { LinkError } from "./link.ts";

/** Brief connections in a row that mean a conflict. */
const MAX_BRIEF_CONNECTIONS = 5;
/** A connection of this duration ends a conflict. */
const STABLE_DURATION_MS = 60_000;
const MIN_RETRY_DELAY_MS = 1000;
/**
 * Long enough that two servers change places rarely, short enough that a server
 * is back soon after another client has stopped.
 */
const DEFAULT_MAX_RETRY_DELAY_MS = 30_000;

/** Options of {@linkcode ClientIdConflict}. */
export interface ConflictOptions {
  /** Shorter connections count as brief, in ms. Default 1,000. */
  readonly briefDuration?: number | undefined;
  /** The longest {@linkcode ClientIdConflict.nextDelay}, in ms. Default 30,000. */
  readonly maxRetryDelay?: number | undefined;
}

/**
 * Detects that another client uses the same client id: each one makes the
 * broker disconnect the other, again and again. MQTT 5 has a code for it, which
 * Mosquitto up to 2.0.11 does not send; MQTT 3.1.1 has none. Without the code,
 * brief connections in a row show it: the client that connected last detects it
 * first.
 */
export class ClientIdConflict {
  readonly #briefDuration: number;
  readonly #maxRetryDelay: number;
  #connectedAt = -Infinity;
  #briefConnections = 0;
  #isTakenOver = false;
  /** Conflicts in a row. */
  #conflicts = 0;

  constructor({ briefDuration, maxRetryDelay }: ConflictOptions = {}) {
    this.#briefDuration = briefDuration ?? 1000;
    this.#maxRetryDelay = maxRetryDelay ?? DEFAULT_MAX_RETRY_DELAY_MS;
  }

  /**
   * Call it after the broker has accepted the connection.
   *
   * @param now monotonic time, in ms
   */
  connected(now: number): void {
    this.#connectedAt = now;
  }

  /** Call it when the broker sends the code of MQTT 5. */
  takenOver(): void {
    this.#isTakenOver = true;
  }

  /**
   * Call it after a connection or an attempt to connect has ended.
   *
   * @param now monotonic time, in ms
   * @returns true if there is a conflict
   */
  disconnected(now: number): boolean {
    const duration = now - this.#connectedAt;
    const isTakenOver = this.#isTakenOver;
    this.#connectedAt = -Infinity;
    this.#isTakenOver = false;
    if (duration === Infinity && !isTakenOver) return false; // only an attempt
    this.#briefConnections = duration < this.#briefDuration
      ? this.#briefConnections + 1
      : 0;
    const isStable = duration >= STABLE_DURATION_MS && duration < Infinity;
    if (isStable) this.#conflicts = 0;
    const isConflict = isTakenOver || this.#conflicts > 0 ||
      this.#briefConnections >= MAX_BRIEF_CONNECTIONS;
    if (isConflict) this.#conflicts++;
    return isConflict;
  }

  /**
   * How long to wait before the next attempt to connect, in ms: more after each
   * conflict in a row.
   */
  get nextDelay(): number {
    const conflicts = Math.max(1, this.#conflicts);
    return backoffMs(MIN_RETRY_DELAY_MS, this.#maxRetryDelay, conflicts);
  }
}

/** Returns the error of a connection that ends because of a conflict. */
export function conflictError(broker: string, clientId: string): LinkError {
  return new LinkError(
    "refused",
    `Disconnected from ${broker}: ${conflictReason(clientId)}`,
    {
      hint:
        "Stop it, or use a different name and prefix for this one (a server: --name and --prefix).",
    },
  );
}

/** Describes a conflict to people. */
export function conflictReason(clientId: string): string {
  return `another client uses the client id "${clientId}"`;
}
