/**
 * The reply topics whose next reply is large and cannot begin yet.
 *
 * @module
 */

/** Maximum number of such topics. */
const MAX_PARKED_TOPICS = 1000;
const CHECK_INTERVAL_MS = 1000;

/** A topic that waits until a large reply may begin. */
export interface ParkedTopic {
  readonly topic: string;
  /** Identifies the cells of the reply. */
  readonly key: string;
  /** Approximate memory of the reply, in bytes. */
  readonly bytes: number;
}

/** The topics that wait, in order. */
export class ParkedTopics {
  #topics: ParkedTopic[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #onWaiting: () => void;

  /** @param onWaiting called once a second while topics wait */
  constructor(onWaiting: () => void) {
    this.#onWaiting = onWaiting;
  }

  /** The topic that has waited the longest. */
  get first(): ParkedTopic | undefined {
    return this.#topics[0];
  }

  /** Adds a topic. Returns false if too many wait. */
  add(parked: ParkedTopic): boolean {
    if (this.#topics.length >= MAX_PARKED_TOPICS) return false;
    this.#topics.push(parked);
    this.#watch();
    return true;
  }

  /** Removes the first topic, and all others that wait for the same cells. */
  takeSame(): ParkedTopic[] {
    const key = this.first?.key;
    const same = this.#topics.filter((parked) => parked.key === key);
    this.#topics = this.#topics.filter((parked) => parked.key !== key);
    this.#watch();
    return same;
  }

  /** Removes all topics. */
  clear(): void {
    this.#topics = [];
    this.#watch();
  }

  #watch(): void {
    if (this.#topics.length === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(this.#onWaiting, CHECK_INTERVAL_MS);
  }
}
