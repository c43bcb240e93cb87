/** Answers to pings that are remembered. */
const REMEMBERED = 8;

/** A ping and its answer. */
interface Round {
  /** How long it took, ms. */
  readonly trip: number;
  /** How far the server's clock is ahead of this one, ms. */
  readonly ahead: number;
}

/**
 * How far the server's clock is ahead, from pings: of the last few the one that
 * took the shortest time tells best, and is wrong by half of that at most.
 */
export class ClockOffset {
  #rounds: Round[] = [];

  /**
   * Takes an answer in.
   *
   * @param sent when the ping was sent, by the clock here, ms since 1970
   * @param answered when the server answered, by its clock
   * @param now when the answer came, by the clock here
   */
  add(sent: number, answered: number, now: number): void {
    const trip = Math.max(0, now - sent);
    this.#rounds.push({ trip, ahead: answered - (sent + now) / 2 });
    if (this.#rounds.length > REMEMBERED) this.#rounds.shift();
  }

  /** The server's clock, given the one here; undefined before the first answer. */
  serverTime(now: number): number | undefined {
    const best = this.#best();
    return best && now + best.ahead;
  }

  /** How long a message takes one way, ms; undefined before the first answer. */
  get oneWay(): number | undefined {
    const best = this.#best();
    return best && best.trip / 2;
  }

  /** Forgets all: it may be another server. */
  clear(): void {
    this.#rounds = [];
  }

  #best(): Round | undefined {
    return this.#rounds.reduce<Round | undefined>(
      (best, round) => best && best.trip <= round.trip ? best : round,
      undefined,
    );
  }
}
