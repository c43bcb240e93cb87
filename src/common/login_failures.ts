/**
 * Delays the answers to failed logins (HTTP tokens, MQTT passwords), so that a
 * client cannot try many.
 *
 * @module
 */
import { delay } from "./async.ts";
import { clientNetwork } from "./client_network.ts";

/** Options of {@linkcode LoginFailures}. */
export interface LoginFailureOptions {
  /** The delay of the first failed login of a network, in ms. Default 250. */
  readonly firstDelayMs?: number;
  /** Each further one takes twice as long, up to this, in ms. Default 4000. */
  readonly maxDelayMs?: number;
  /** A network without a failed login for this time is new. Default 10 min. */
  readonly forgetAfterMs?: number;
  /** Networks whose count is known. Default 10,000. */
  readonly networks?: number;
  /** Answers that wait at the same time. Default 64. */
  readonly waiting?: number;
  /** Answers to one network that wait at the same time. Default 8. */
  readonly waitingPerNetwork?: number;
  /** A clock that never jumps, in ms. */
  readonly now?: () => number;
}

/** The failed logins of one network. */
interface Failures {
  /** The delay of the next answer, in ms. */
  delayMs: number;
  /** The time of the last failed login. */
  at: number;
  /** Answers that wait. */
  waiting: number;
}

/**
 * Counts failed logins by network and delays their answers. Others are never
 * delayed: behind a reverse proxy all clients have one address, and one of them
 * must not lock the others out.
 */
export class LoginFailures {
  readonly #options: Required<LoginFailureOptions>;
  /** By network, the longest without a failed login first. */
  readonly #networks = new Map<string, Failures>();
  #waiting = 0;

  constructor(options: LoginFailureOptions = {}) {
    this.#options = {
      firstDelayMs: 250,
      maxDelayMs: 4000,
      forgetAfterMs: 10 * 60_000,
      networks: 10_000,
      waiting: 64,
      waitingPerNetwork: 8,
      now: () => performance.now(),
      ...options,
    };
  }

  /** The number of networks whose count is known. */
  get size(): number {
    return this.#networks.size;
  }

  /**
   * Counts a failed login and waits for the delay of its answer.
   *
   * @param address the IP address of the client
   * @param signal ends the wait early
   * @returns false, without a wait, if too many answers wait already
   */
  async wait(address: string, signal?: AbortSignal): Promise<boolean> {
    const { waiting, waitingPerNetwork } = this.#options;
    const failures = this.#failuresOf(clientNetwork(address));
    const { delayMs } = failures;
    failures.delayMs = Math.min(2 * delayMs, this.#options.maxDelayMs);
    if (
      this.#waiting >= waiting || failures.waiting >= waitingPerNetwork
    ) return false;
    this.#waiting++;
    failures.waiting++;
    await delay(delayMs, signal);
    this.#waiting--;
    failures.waiting--;
    return true;
  }

  /** Returns what is known of a network, and makes it the newest one. */
  #failuresOf(network: string): Failures {
    const { firstDelayMs, forgetAfterMs, networks, now } = this.#options;
    const at = now();
    let failures = this.#networks.get(network);
    if (failures === undefined) {
      failures = { delayMs: firstDelayMs, at, waiting: 0 };
      if (this.#networks.size >= networks) {
        this.#networks.delete(this.#networks.keys().next().value!);
      }
    } else {
      if (at - failures.at > forgetAfterMs) failures.delayMs = firstDelayMs;
      failures.at = at;
      this.#networks.delete(network);
    }
    this.#networks.set(network, failures);
    return failures;
  }
}
