/**
 * The records of a shared store in memory, as all servers have them.
 *
 * @module
 */
import { decodeEntries, EntryEncoder } from "../entry_codec.ts";
import { FIRST_IDS, ownerOf } from "../record_staging.ts";
import {
  type RecordChange,
  type RecordOwner,
  type RecordsEntry,
  StoreError,
} from "../store.ts";

/** Ids of one chunk. Those of an owner begin at a multiple of it, plus 1. */
const CHUNK_IDS = 64;
/** The name of the chunk that is not of records. */
const HEAD = "head";
const OWNERS = Object.keys(FIRST_IDS) as RecordOwner[];

/** What decides which entries count. */
interface Head {
  /** Number of entries that have counted. */
  readonly revision: number;
  /** The mark of the last one of `zones`. */
  readonly edition: number;
  /** The highest fencing number of a leader. */
  readonly fence: number;
  /**
   * The highest ids, in the order of the owners. Earlier versions had fewer
   * owners; those at the end that have had no record are left out.
   */
  readonly lastIds: readonly number[];
}

/**
 * The records of a shared store. They follow from the entries in the order of
 * the journal, so all servers have the same; there are as many as the limits of
 * zones allow.
 *
 * A checkpoint stores all of them, in chunks.
 */
export class RecordTable {
  readonly #values: Readonly<Record<RecordOwner, Map<number, Uint8Array>>> = {
    broker: new Map(),
    zones: new Map(),
    "home-assistant": new Map(),
    "zone-memories": new Map(),
    sources: new Map(),
  };
  /** By number: the ids. */
  readonly #chunks = new Map<number, Set<number>>();
  readonly #lastIds = { ...FIRST_IDS };
  #revision = 0;
  #edition = 0;
  #fence = 0;

  /** Number of entries that have counted so far. */
  get revision(): number {
    return this.#revision;
  }

  /** See `RecordSharing.edition`. */
  get edition(): number {
    return this.#edition;
  }

  /** Returns the highest id that a record of an owner has had. */
  lastId(owner: RecordOwner): number {
    return this.#lastIds[owner];
  }

  /** Returns the records of an owner, in the order of their ids. */
  records(owner: RecordOwner): (readonly [id: number, value: Uint8Array])[] {
    return [...this.#values[owner]].sort(([a], [b]) => a - b);
  }

  /**
   * Applies the next entry.
   *
   * @returns false if it does not count
   */
  apply({ owner, mark, guard, changes }: RecordsEntry): boolean {
    if (owner === "zones") {
      if (guard !== this.#edition) return false;
      this.#edition = mark;
    } else {
      if (guard < this.#fence) return false;
      this.#fence = guard;
    }
    this.#revision++;
    for (const change of changes) this.#change(owner, change);
    return true;
  }

  /** Returns all records as chunks for a checkpoint: names in ASCII, and bytes. */
  *save(): Generator<readonly [name: string, bytes: Uint8Array], void, void> {
    yield [HEAD, new TextEncoder().encode(JSON.stringify(this.#head()))];
    for (const [number, ids] of this.#chunks) {
      yield [String(number), this.#encode(ids)];
    }
  }

  /**
   * Replaces all records by those of a checkpoint.
   *
   * @param chunks their names and bytes; none: no records
   * @throws {StoreError} if they are damaged
   */
  restore(chunks: Iterable<readonly [name: string, bytes: Uint8Array]>): void {
    for (const owner of OWNERS) this.#values[owner].clear();
    this.#chunks.clear();
    Object.assign(this.#lastIds, FIRST_IDS);
    this.#revision = this.#edition = this.#fence = 0;
    try {
      const all = [...chunks];
      // First, because the others are of its revision.
      for (const [name, bytes] of all) if (name === HEAD) this.#setHead(bytes);
      for (const [name, bytes] of all) {
        if (name === HEAD) continue;
        for (const entry of decodeEntries(bytes)) {
          if (entry.kind !== "records") throw new RangeError("no records");
          for (const change of entry.changes) this.#change(entry.owner, change);
        }
      }
    } catch (cause) {
      throw new StoreError("Cannot read the records of a checkpoint", {
        hint:
          "The data in Redis is damaged, or of a newer version of occupancy. Restore a backup.",
        cause,
      });
    }
  }

  #change(owner: RecordOwner, { id, value }: RecordChange): void {
    const number = Math.floor((id - 1) / CHUNK_IDS);
    let ids = this.#chunks.get(number);
    if (ids === undefined) this.#chunks.set(number, ids = new Set());
    this.#lastIds[owner] = Math.max(this.#lastIds[owner], id);
    if (value !== undefined) {
      this.#values[owner].set(id, value);
      ids.add(id);
      return;
    }
    this.#values[owner].delete(id);
    ids.delete(id);
    if (ids.size === 0) this.#chunks.delete(number);
  }

  /** @param ids of one chunk: not empty, of one owner */
  #encode(ids: ReadonlySet<number>): Uint8Array<ArrayBuffer> {
    const sorted = [...ids].sort((a, b) => a - b);
    const owner = ownerOf(sorted[0]!);
    const changes = sorted
      .map((id) => ({ id, value: this.#values[owner].get(id) }));
    return new EntryEncoder().encode([
      { kind: "records", now: 0, owner, mark: 0, guard: 0, changes },
    ]);
  }

  #head(): Head {
    const used = OWNERS.findLastIndex((owner) =>
      owner !== "sources" || this.#lastIds[owner] > FIRST_IDS[owner]
    );
    return {
      revision: this.#revision,
      edition: this.#edition,
      fence: this.#fence,
      lastIds: OWNERS.slice(0, used + 1).map((owner) => this.#lastIds[owner]),
    };
  }

  #setHead(bytes: Uint8Array): void {
    const head: Head = JSON.parse(new TextDecoder().decode(bytes));
    const { revision, edition, fence, lastIds } = head;
    const numbers: unknown[] = [revision, edition, fence, ...lastIds];
    if (
      lastIds.length > OWNERS.length || !numbers.every(Number.isSafeInteger)
    ) throw new RangeError("the head of the records has other fields");
    this.#revision = revision;
    this.#edition = edition;
    this.#fence = fence;
    for (const [i, owner] of OWNERS.entries()) {
      this.#lastIds[owner] = lastIds[i] ?? FIRST_IDS[owner];
    }
  }
}
