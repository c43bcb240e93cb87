/**
 * Entries of a journal that were read and not applied, and which of them are
 * safe.
 *
 * @module
 */
import { Fifo } from "../../common/fifo.ts";
import {
  compareIds,
  SAFE_ON_ARRIVAL,
  type StreamEntry,
} from "./stream_entry.ts";

/** What is known of own entries, see `ShardWriter`. */
export interface OwnEntries {
  /** Returns true if the own entry with a number is safe under an id. */
  isSafe(sequence: number, id: string): boolean;
}

/**
 * A queue of entries. One is safe if it is an own one that the writer found safe
 * under the same id; if it is at or before such a one, or before the `k` of any
 * entry that was read; or if its own `k` is `*`. All entries must be of one
 * connection: the journal of another master may have other ones.
 */
export class ReadEntries {
  readonly #run: string;
  readonly #own: OwnEntries;
  #entries = new Fifo<StreamEntry>();
  /** Own entries that are not known to be safe. */
  #unsafeOwn: StreamEntry[] = [];
  /** Entries up to this id are safe, as far as known. */
  #safe: string;
  /** Own entries that were removed and are being applied. */
  #taken: StreamEntry[] = [];
  #waiting = 0;
  #bytes = 0;

  /**
   * @param run identifies this run of the server
   * @param own what is known of its entries
   * @param position the id of the last entry that was applied
   */
  constructor(run: string, own: OwnEntries, position: string) {
    this.#run = run;
    this.#own = own;
    this.#safe = position;
  }

  /** Number of the entries with content. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Bytes of their content and sources. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next entry, safe or not; undefined if there is none. */
  get first(): StreamEntry | undefined {
    return this.#entries.first;
  }

  /** The next entry; undefined if there is none that is known to be safe. */
  get next(): StreamEntry | undefined {
    const { first } = this.#entries;
    return first !== undefined && compareIds(first.id, this.#safe) <= 0
      ? first
      : undefined;
  }

  /**
   * Adds entries behind the others.
   *
   * @returns bytes of their content and sources
   */
  add(entries: readonly StreamEntry[]): number {
    const before = this.#bytes;
    for (const entry of entries) {
      const { id, safe, run, sequence, content, bytes } = entry;
      this.#entries.push(entry);
      if (content !== undefined) {
        this.#waiting++;
        this.#bytes += bytes;
      }
      if (safe === SAFE_ON_ARRIVAL) this.raiseSafe(id);
      // A writer knows nothing of later entries.
      else if (safe !== undefined && compareIds(safe, id) < 0) {
        this.raiseSafe(safe);
      }
      if (run !== this.#run || sequence === 0) continue;
      if (this.#own.isSafe(sequence, id)) this.raiseSafe(id);
      else this.#unsafeOwn.push(entry);
    }
    return this.#bytes - before;
  }

  /** Removes the next entry. It counts as waiting until `applied` is called. */
  shift(): void {
    const { first } = this.#entries;
    if (first?.run === this.#run) this.#taken.push(first);
    this.#entries.shift();
  }

  /** Call it for entries that were removed, when they were applied. */
  applied(count: number, bytes: number): void {
    this.#taken = [];
    this.#waiting -= count;
    this.#bytes -= bytes;
  }

  /** Returns those of some own numbers that were not read, or were applied. */
  missing(sequences: readonly number[]): number[] {
    const left = new Set(sequences);
    for (const { run, sequence } of [...this.#taken, ...this.#entries]) {
      if (run === this.#run) left.delete(sequence);
    }
    return [...left];
  }

  /** Entries up to an id are safe. */
  raiseSafe(id: string): void {
    if (compareIds(id, this.#safe) > 0) this.#safe = id;
  }

  /** Looks for own entries that became safe. */
  checkOwn(): void {
    const index = this.#unsafeOwn.findLastIndex(({ sequence, id }) =>
      this.#own.isSafe(sequence, id)
    );
    if (index < 0) return;
    this.raiseSafe(this.#unsafeOwn[index]!.id);
    this.#unsafeOwn.splice(0, index + 1);
  }

  /** Forgets all. @param position the id of the last entry that was applied */
  clear(position: string): void {
    this.#entries = new Fifo();
    this.#unsafeOwn = [];
    this.#taken = [];
    this.#waiting = 0;
    this.#bytes = 0;
    this.#safe = position;
  }
}
