/**
 * The warnings about the journals in Redis.
 *
 * @module
 */
import { LineLimiter } from "../../common/line_limiter.ts";
import type { JournalGapError } from "./journal_source.ts";

/** Warns of what is wrong with journals, and counts damaged entries. */
export class JournalWarnings {
  readonly #warn: (line: string) => void;
  readonly #limiter = new LineLimiter();
  #damaged = 0;

  /** @param warn receives the lines */
  constructor(warn: (line: string) => void) {
    this.#warn = warn;
  }

  /** Number of damaged entries so far. */
  get damaged(): number {
    return this.#damaged;
  }

  /** An entry is skipped. @param journal the key of the journal */
  damage(journal: string, id: string, reason: string): void {
    this.#damaged++;
    this.#limiter.add(
      "damaged-entry",
      `Entry ${id} of ${journal} in Redis is damaged (${reason}): every server skips it, and its readings are lost. Check the memory and the disk of Redis, and what else writes to its keys.`,
      this.#warn,
    );
  }

  /** The sources of an entry are ignored. */
  badSources(journal: string, id: string, reason: string): void {
    this.#limiter.add(
      "damaged-sources",
      `The sources of entry ${id} of ${journal} in Redis cannot be read (${reason}): its readings are applied without them. Check the memory and the disk of Redis, and what else writes to its keys.`,
      this.#warn,
    );
  }

  /** Entries before one are not in a journal. @param run who wrote them */
  missing(journal: string, id: string, run: string, count: number): void {
    this.#limiter.add(
      "lost-entries",
      `Redis has lost ${count} entries of ${journal} before ${id}, written by ${run}: servers that applied them before differ until they are restarted. Use replicas and --redis-replicas (docs/SCALING.md).`,
      this.#warn,
    );
  }

  /** Entries after the position of this server are not in a journal. */
  gap(journal: string, reason: JournalGapError["reason"]): void {
    const cause = reason === "trimmed"
      ? "this server was too slow or away"
      : "Redis was restarted without its data, or another master has less";
    this.#warn(
      `Entries of ${journal} that this server has not applied are not in Redis any more: ${cause}. It loads the shard anew.`,
    );
  }

  /** Writes what is counted. */
  close(): void {
    this.#limiter[Symbol.dispose]();
  }
}
