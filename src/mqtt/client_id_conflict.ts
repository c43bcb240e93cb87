/**
 * Detects two clients with the same client id.
 *
 * @module
 */

/** Shorter connections count as brief. */
const MIN_DURATION_MS = 1000;
/** Brief connections in a row that mean a conflict. */
const MAX_BRIEF_CONNECTIONS = 5;

/**
 * Detects that another client uses the same client id: each one makes the
 * broker disconnect the other, again and again. MQTT 3.1.1 has no code for it,
 * and Mosquitto up to 2.0.11 does not send the code of MQTT 5. The client that
 * connected last detects it first.
 */
export class ClientIdConflict {
  #connectedAt = -Infinity;
  #briefConnections = 0;

  /**
   * Call it after the broker has accepted the connection.
   *
   * @param now monotonic time, in ms
   */
  connected(now: number): void {
    this.#connectedAt = now;
  }

  /**
   * Call it after a connection or an attempt to connect has ended.
   *
   * @param now monotonic time, in ms
   * @returns true if there is a conflict
   */
  disconnected(now: number): boolean {
    const duration = now - this.#connectedAt;
    this.#connectedAt = -Infinity;
    if (duration === Infinity) return false; // only an attempt
    this.#briefConnections = duration < MIN_DURATION_MS
      ? this.#briefConnections + 1
      : 0;
    return this.#briefConnections >= MAX_BRIEF_CONNECTIONS;
  }
}
