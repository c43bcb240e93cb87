/**
 * Collects changes of records until a commit writes them.
 *
 * @module
 */
import type { RecordOwner } from "./store.ts";

/**
 * More changes than this wait for the next commit, so that no commit is long,
 * unless they have to be committed together.
 */
const MAX_WRITTEN_RECORDS = 2000;
/** The same for their values; the last one may exceed it. */
const MAX_WRITTEN_BYTES = 2 * 1024 * 1024;
/** More than a server adds in its life. */
const MAX_RECORDS = 2 ** 48;

/** Ids of an owner are above this, and at most 2^48 above. */
export const FIRST_IDS: Readonly<Record<RecordOwner, number>> = {
  broker: 0,
  zones: MAX_RECORDS,
  "home-assistant": 2 * MAX_RECORDS,
  "zone-memories": 3 * MAX_RECORDS,
  sources: 4 * MAX_RECORDS,
};

/** Returns the owner of a record. */
export function ownerOf(id: number): RecordOwner {
  const owners = Object.keys(FIRST_IDS) as RecordOwner[];
  return owners.findLast((owner) => id > FIRST_IDS[owner])!;
}

/** Returns the highest id that a record of an owner can have. */
export function lastIdOf(owner: RecordOwner): number {
  return FIRST_IDS[owner] + MAX_RECORDS;
}

/** Returns the value of a record. */
export type Encode = () => Uint8Array<ArrayBuffer>;

/** A change that a commit writes. */
export interface WrittenChange {
  readonly id: number;
  /** Undefined: the record is deleted. */
  readonly value: Uint8Array<ArrayBuffer> | undefined;
  /** True if the next change has to be in the same commit. */
  readonly isBound: boolean;
}

/**
 * Changes of records that wait for a commit. A record that changes several times
 * in between is written once; one that is added and deleted is not written at
 * all.
 */
export class RecordStaging {
  /** By id, in the order of the first change; undefined: delete it. */
  readonly #staged = new Map<number, Encode | undefined>();
  /** Ids that the store does not have yet. */
  readonly #added = new Set<number>();
  /** Positions in the order of changes: of the last staged, written, committed. */
  #stagedTo = 0;
  #writtenTo = 0;
  #committedTo = 0;
  /**
   * The position up to which changes are committed together with that of a
   * staged record, by its id.
   */
  readonly #boundTo = new Map<number, number>();
  /** Ids that the present commit has written. */
  #written = new Set<number>();
  /** In order of `position`. */
  #waiting: Waiting[] = [];

  /** True if changes wait for a commit, or are written by one. */
  get hasStaged(): boolean {
    return this.#staged.size > 0;
  }

  /** @param isNew true if the store does not have the record yet */
  stage(id: number, encode: Encode | undefined, isNew = false): void {
    if (isNew) this.#added.add(id);
    // A change of a staged record keeps its place, unless that is written.
    if (this.#written.delete(id)) {
      this.#staged.delete(id);
      this.#boundTo.delete(id);
      this.#added.delete(id);
    }
    if (!this.#staged.has(id)) this.#stagedTo++;
    this.#staged.set(id, encode);
  }

  /** See `Records.bind()`. */
  bind(id: number): void {
    if (this.#staged.has(id)) this.#boundTo.set(id, this.#stagedTo);
  }

  /** See `Records.afterCommit()`. */
  afterCommit(callback: Waiting["callback"]): void {
    if (this.#committedTo === this.#stagedTo) callback(true);
    else {
      const position = this.#stagedTo;
      this.#waiting.push({ position, callback, counts: true });
    }
  }

  /**
   * Returns the first staged changes, as many as a commit may have. Then call
   * {@linkcode RecordStaging.committed} or {@linkcode RecordStaging.failed}.
   */
  *write(): Generator<WrittenChange, void, void> {
    let bytes = 0;
    let count = 0;
    let boundTo = 0;
    for (const [id, encode] of this.#staged) {
      const isFull = count >= MAX_WRITTEN_RECORDS || bytes >= MAX_WRITTEN_BYTES;
      if (isFull && this.#writtenTo >= boundTo) return;
      boundTo = Math.max(boundTo, this.#boundTo.get(id) ?? 0);
      const value = encode?.();
      this.#written.add(id);
      this.#writtenTo++;
      count++;
      bytes += value?.length ?? 0;
      if (value === undefined && this.#added.has(id)) continue;
      yield { id, value, isBound: this.#writtenTo < boundTo };
    }
  }

  /**
   * Call after what was written is committed.
   *
   * @param counts false if some of it does not count
   */
  committed(counts = true): void {
    for (const id of this.#written) {
      this.#staged.delete(id);
      this.#added.delete(id);
      this.#boundTo.delete(id);
    }
    this.#written.clear();
    const from = this.#committedTo;
    this.#committedTo = this.#writtenTo;
    for (const waiting of this.#waiting) {
      if (!counts && waiting.position > from) waiting.counts = false;
    }
    if (this.#waiting.length > 0) queueMicrotask(() => this.#callBack());
  }

  /** Call after the commit failed: the changes stay staged. */
  failed(): void {
    this.#written.clear();
    this.#writtenTo = this.#committedTo;
  }

  #callBack(): void {
    const count = this.#waiting.findIndex(({ position }) =>
      position > this.#committedTo
    );
    const due = this.#waiting.splice(
      0,
      count === -1 ? this.#waiting.length : count,
    );
    for (const { callback, counts } of due) callback(counts);
  }
}

/** Waits for a commit. */
interface Waiting {
  /** The last change that it waits for. */
  readonly position: number;
  readonly callback: (counts: boolean) => void;
  /** False if a change did not count. */
  counts: boolean;
}
