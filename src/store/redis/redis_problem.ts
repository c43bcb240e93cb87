/**
 * What failures of Redis are called, and when the store reports them.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { printable } from "../../common/printable.ts";
import { StoreError } from "../store.ts";
import { RedisError } from "./deployment.ts";
import { UNEXPECTED_HINT, WAIT_HINT } from "./errors.ts";

/** Failures that end earlier are not reported, in ms. */
const REPORT_AFTER_MS = 2000;

const REPLICAS_HINT =
  "Start the replicas of Redis, or set --redis-replicas to how many there are. Readings are acknowledged again when enough replicas have them.";

/** Too few replicas have confirmed a write. */
export class MissingReplicasError extends Error {
  override readonly name = "MissingReplicasError";
  /** Replicas that confirmed. */
  readonly confirmed: number;
  /** Replicas that must confirm. */
  readonly wanted: number;

  constructor(confirmed: number, wanted: number) {
    super(`${confirmed} of ${wanted} replicas confirmed a write in time`);
    this.confirmed = confirmed;
    this.wanted = wanted;
  }
}

/**
 * Returns the error for users.
 *
 * @param description the address of the store
 * @param error what was thrown
 */
export function redisStoreError(
  description: string,
  error: unknown,
): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof RedisError) {
    const { message, hint = WAIT_HINT } = error;
    return new StoreError(message, { hint, cause: error });
  }
  const message = printable(messageOf(error));
  if (error instanceof MissingReplicasError) {
    return new StoreError(
      `Redis at ${description} has too few replicas: ${message}`,
      { hint: REPLICAS_HINT, cause: error },
    );
  }
  return new StoreError(
    `Redis at ${description} answers in an unexpected way: ${message}`,
    { hint: UNEXPECTED_HINT, cause: error },
  );
}

/** Returns the error of what was not committed when the store was closed. */
export function storeClosedError(description: string): StoreError {
  return new StoreError(`The store ${description} was closed`, {
    hint: "What was not committed has to be sent again.",
  });
}

/** Merges the failures of all connections into one state. */
export class RedisProblem {
  readonly #description: string;
  readonly #onChange: (problem: StoreError | undefined) => void;
  /** By connection: since when it fails, and why. */
  readonly #failing = new Map<string, { since: number; error: unknown }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reported: StoreError | undefined;
  #closed = false;

  /**
   * @param description the address of the store
   * @param onChange receives the problem, and `undefined` when there is none
   */
  constructor(
    description: string,
    onChange: (problem: StoreError | undefined) => void,
  ) {
    this.#description = description;
    this.#onChange = onChange;
  }

  /** What was reported last. */
  get reported(): StoreError | undefined {
    return this.#reported;
  }

  /**
   * Notes a failure.
   *
   * @param source what fails, such as `write 3`
   * @param since when it began, as in `performance.now()`; ignored if the source
   * fails already
   */
  failed(source: string, error: unknown, since: number): void {
    if (this.#closed) return;
    const known = this.#failing.get(source);
    this.#failing.set(source, { since: known?.since ?? since, error });
    this.#schedule();
  }

  /** Notes that a source works. */
  works(source: string): void {
    if (this.#failing.delete(source)) this.#schedule();
  }

  /** Ends. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const now = performance.now();
    let oldest: { since: number; error: unknown } | undefined;
    for (const one of this.#failing.values()) {
      if (oldest === undefined || one.since < oldest.since) oldest = one;
    }
    if (oldest === undefined) return this.#report(undefined);
    const wait = oldest.since + REPORT_AFTER_MS - now;
    if (wait <= 0) {
      this.#report(redisStoreError(this.#description, oldest.error));
    } else {
      this.#timer = setTimeout(() => this.#schedule(), wait);
    }
  }

  #report(problem: StoreError | undefined): void {
    if (this.#reported?.message === problem?.message) return;
    this.#reported = problem;
    this.#onChange(problem);
  }
}
