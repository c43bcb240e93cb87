/**
 * Estimates the server's clock from pings and their answers.
 *
 * @module
 */

/** Round trips that the estimate uses. */
const MAX_ROUND_TRIPS = 8;

interface RoundTrip {
  readonly durationMs: number;
  /** The server's clock minus the local clock, ms. */
  readonly offsetMs: number;
}

/**
 * Estimates the server's clock minus the local clock from the shortest of the
 * last round trips. The error is at most half of its duration.
 */
export class ClockOffset {
  #roundTrips: RoundTrip[] = [];

  /**
   * Adds a round trip.
   *
   * @param sent when the ping was sent, local clock, ms since 1970
   * @param answered when the server answered, its clock, ms since 1970
   * @param received when the answer arrived, local clock, ms since 1970
   */
  add(sent: number, answered: number, received: number): void {
    this.#roundTrips.push({
      durationMs: Math.max(0, received - sent),
      offsetMs: answered - (sent + received) / 2,
    });
    if (this.#roundTrips.length > MAX_ROUND_TRIPS) this.#roundTrips.shift();
  }

  /** The server's clock at a local time; undefined before the first answer. */
  serverTime(now: number): number | undefined {
    const best = this.#best();
    return best && now + best.offsetMs;
  }

  /**
   * How long a message takes one way, ms; undefined before the first answer.
   */
  get oneWay(): number | undefined {
    const best = this.#best();
    return best && best.durationMs / 2;
  }

  /** Removes all round trips, as for another server. */
  clear(): void {
    this.#roundTrips = [];
  }

  #best(): RoundTrip | undefined {
    return this.#roundTrips.reduce<RoundTrip | undefined>(
      (best, trip) => best && best.durationMs <= trip.durationMs ? best : trip,
      undefined,
    );
  }
}
