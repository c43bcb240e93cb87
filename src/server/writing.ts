/**
 * The cells that are written, or are being written, for replies.
 *
 * @module
 */
import type { ParsedRequest } from "../protocol/mod.ts";
import type { ReplyJob } from "./reply_job.ts";

/** How often a job begins again because the layer changes too fast. */
const MAX_RESTARTS = 3;

/** Cells for the replies on some topics. */
export class Writing {
  /** Identifies the cells and their form, see `bodyKeyOf`. */
  readonly key: string;
  /** The request that the job was made for. */
  readonly request: ParsedRequest;
  /** Topics that wait for the end of the job. */
  readonly topics = new Set<string>();
  #job: ReplyJob;
  /** The job has the effects of everything before the request of this rank. */
  #rank: number;
  #restarts = 0;

  /** @param rank the rank of the next request that arrives */
  constructor(
    key: string,
    request: ParsedRequest,
    job: ReplyJob,
    rank: number,
  ) {
    this.key = key;
    this.request = request;
    this.#job = job;
    this.#rank = rank;
  }

  /** Writes the cells. */
  get job(): ReplyJob {
    return this.#job;
  }

  /** Returns true if a request arrived before the job began. */
  isBefore(rank: number): boolean {
    return rank < this.#rank;
  }

  /** Returns true if a request must get these cells or equal ones. */
  suits(key: string, rank: number): boolean {
    return key === this.key && (this.isBefore(rank) || this.#job.isCurrent);
  }

  /**
   * Begins again.
   *
   * @returns false if it began too often
   */
  restart(create: () => ReplyJob, rank: number): boolean {
    if (++this.#restarts > MAX_RESTARTS) return false;
    this.#job = create();
    this.#rank = rank;
    return true;
  }
}

/** The cells that further requests may share. */
export class Writings {
  /** The large reply that is being written; there is only one. */
  current: Writing | undefined;
  /** Large replies of which parts are to be published, by key. */
  readonly #written = new Map<string, Writing>();
  /** The last small reply. */
  #lastSmall: Writing | undefined;

  /** Returns cells that a request can share. */
  find(key: string, rank: number): Writing | undefined {
    return [this.current, this.#written.get(key), this.#lastSmall]
      .find((writing) => writing?.suits(key, rank));
  }

  /** Stores a small reply until the next one. */
  addSmall(writing: Writing): void {
    this.#lastSmall = writing;
  }

  /** The current one is complete. */
  complete(): void {
    if (this.current !== undefined) {
      this.#written.set(this.current.key, this.current);
    }
    this.current = undefined;
  }

  /** Removes those whose memory is no longer needed. */
  prune(isNeeded: (owner: object) => boolean): void {
    for (const [key, { job }] of this.#written) {
      if (!isNeeded(job.owner)) this.#written.delete(key);
    }
  }

  /** Stops writing the current one. */
  abandon(): void {
    this.current?.job.close();
    this.current = undefined;
  }

  /** Removes all. */
  clear(): void {
    this.abandon();
    this.#written.clear();
    this.#lastSmall = undefined;
  }
}
