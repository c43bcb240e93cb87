/**
 * What failures of Redis are called, and when the store reports them.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { printable } from "../../common/printable.ts";
import { StoreError } from "../store.ts";
import { RedisError } from "./deployment.ts";

/** Failures that end earlier are not reported, in ms. */
const REPORT_AFTER_MS = 2000;

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
  const message = printable(messageOf(error));
  const make = (text: string, hint: string) =>
    new StoreError(text, { hint, cause: error });
  if (error instanceof MissingReplicasError) {
    return make(
      `Cannot store readings in Redis at ${description}: ${message}`,
      "Start the replicas of Redis, or set --redis-replicas to how many there are. Readings stay unacknowledged until then, and none is lost.",
    );
  }
  if (!(error instanceof RedisError)) {
    return make(
      `Cannot use Redis at ${description}: ${message}`,
      "This is unexpected: see the log of Redis. The server tries again.",
    );
  }
  switch (error.kind) {
    case "connection":
      return make(
        `Cannot reach Redis at ${description}: ${message}`,
        "Start Redis, or check its address and the network. The server tries again by itself.",
      );
    case "elsewhere":
      return make(
        `Redis at ${description} has no master that takes writes: ${message}`,
        "Redis may be starting, or choosing another master: wait. If it stays so, see its log, and check that the address is that of a master, a sentinel or a cluster.",
      );
    case "access":
      return make(
        `Redis at ${description} refuses the login: ${message}`,
        "Check user and password in the address of --store, and what the user may do (ACL LIST in redis-cli).",
      );
    case "refused":
      return message.startsWith("OOM")
        ? make(
          `Redis at ${description} has no memory left: ${message}`,
          "Raise maxmemory of Redis, or delete layers. Readings stay unacknowledged until then, and none is lost.",
        )
        : make(
          `Redis at ${description} does not take writes now: ${message}`,
          "See the log of Redis: its disk may be full, or it may lack replicas. The server tries again by itself.",
        );
    case "other":
      return make(
        `Redis at ${description} reports an error: ${message}`,
        "Redis 7.0 or later is needed. See its log too. The server tries again by itself.",
      );
  }
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
