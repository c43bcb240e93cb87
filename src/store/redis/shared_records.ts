/**
 * Records that several servers share: entries in the journal of shard 0.
 *
 * @module
 */
import { nextTurn } from "../../common/next_turn.ts";
import {
  type Encode,
  FIRST_IDS,
  ownerOf,
  RecordStaging,
} from "../record_staging.ts";
import type {
  RecordChange,
  RecordOwner,
  Records,
  RecordsEntry,
  RecordSharing,
} from "../store.ts";
import { RecordTable } from "./record_table.ts";

/**
 * A larger entry becomes two: Redis is slower with entries above 64 KiB. Changes
 * that are committed together stay in one entry.
 */
const MAX_ENTRY_BYTES = 48 * 1024;
/** What an entry needs besides the values, for each change. */
const CHANGE_BYTES = 24;

/** What {@linkcode SharedRecords} needs of its store. */
export interface SharedRecordsStore {
  /**
   * See `Store.commit()`. Before the promise resolves, each entry was passed to
   * {@linkcode SharedRecords.apply}.
   */
  commit(entries: readonly RecordsEntry[]): Promise<void>;
  /** Returns the time for entries, ms since 1970. */
  now(): number;
}

/** Changes of one owner that are written as one entry, or several. */
interface Group {
  readonly owner: RecordOwner;
  readonly guard: number;
  readonly changes: RecordChange[];
  bytes: number;
}

/** Changes that are committed one after the other. */
interface Queue {
  readonly staging: RecordStaging;
  isBusy: boolean;
}

/**
 * The records of a shared store. Changes are staged, as those of SQLite are, and
 * committed as entries of the journal. They count, or do not, when the journal
 * delivers them: see `RecordsEntry`. So {@linkcode SharedRecords.load} returns
 * what all servers have, without what is staged.
 */
export class SharedRecords implements Records, RecordSharing {
  /** What all servers have. */
  readonly table = new RecordTable();
  readonly #store: SharedRecordsStore;
  /** Changes of `zones`. */
  readonly #edits: Queue = { staging: new RecordStaging(), isBusy: false };
  /** Those of the leader. */
  readonly #leads: Queue = { staging: new RecordStaging(), isBusy: false };
  readonly #addedIds = { ...FIRST_IDS };
  /** Own entries that were not delivered yet, and whether others count. */
  readonly #own = new Map<number, boolean | undefined>();
  readonly #observers = new Set<{ owner: RecordOwner; onChange(): void }>();
  /** The guard of the next entry of zones. */
  #guard = 0;
  /** The fencing number of the last time as the leader. */
  #fence = 0;
  /** The fencing numbers with which changes of the leader were staged. */
  readonly #fences = new Map<number, number>();
  #closed = false;

  constructor(store: SharedRecordsStore) {
    this.#store = store;
  }

  get shared(): RecordSharing {
    return this;
  }

  get edition(): number {
    return this.table.edition;
  }

  /** True if changes wait for a commit, or are committed. */
  get hasStaged(): boolean {
    return this.#edits.staging.hasStaged || this.#leads.staging.hasStaged;
  }

  load(
    owner: RecordOwner,
  ): (readonly [id: number, value: Uint8Array])[] {
    return this.table.records(owner);
  }

  add(owner: RecordOwner, encode: Encode): number {
    const last = Math.max(this.#addedIds[owner], this.table.lastId(owner));
    const id = this.#addedIds[owner] = last + 1;
    this.#stage(id, encode, true);
    return id;
  }

  replace(id: number, encode: Encode): void {
    this.#stage(id, encode);
  }

  delete(id: number): void {
    this.#stage(id, undefined);
  }

  bind(id: number): void {
    this.#queueOf(ownerOf(id)).staging.bind(id);
  }

  afterCommit(
    callback: (counts: boolean) => void,
    owner?: RecordOwner,
  ): void {
    if (owner !== undefined) {
      return this.#queueOf(owner).staging.afterCommit(callback);
    }
    this.#edits.staging.afterCommit((counts) =>
      this.#leads.staging.afterCommit((others) => callback(counts && others))
    );
  }

  expect(edition: number): void {
    this.#guard = edition;
  }

  async lead(fence: number): Promise<boolean> {
    this.#fence = fence;
    const owner = "zone-memories";
    const [counts] = await this.#commit([this.#entry(owner, fence, [])]);
    return counts!;
  }

  observe(owner: RecordOwner, onChange: () => void): () => void {
    const observer = { owner, onChange };
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Applies an entry that the journal has delivered, in its order. */
  apply(entry: RecordsEntry): void {
    const counts = this.table.apply(entry);
    if (this.#own.has(entry.mark)) this.#own.set(entry.mark, counts);
    else if (counts) this.changed(entry.owner);
  }

  /** Returns all records for a checkpoint, as the entries so far made them. */
  *save(): Generator<readonly [name: string, bytes: Uint8Array], void, void> {
    yield* this.table.save();
  }

  /**
   * Replaces all records by those of a checkpoint.
   *
   * @param parts as {@linkcode SharedRecords.save} returned them
   * @throws {StoreError} if they are damaged
   */
  restore(parts: Iterable<readonly [name: string, bytes: Uint8Array]>): void {
    this.table.restore(parts);
    this.changed();
  }

  /** Calls the observers of an owner, or of all: another server has changed it. */
  changed(owner?: RecordOwner): void {
    for (const observer of [...this.#observers]) {
      if (owner === undefined || observer.owner === owner) observer.onChange();
    }
  }

  /** Resolves when nothing is staged any more, or the store is closed. */
  flushed(): Promise<void> {
    return new Promise((resolve) => this.afterCommit(() => resolve()));
  }

  /** Commits nothing more. */
  close(): void {
    this.#closed = true;
  }

  #queueOf(owner: RecordOwner): Queue {
    return owner === "zones" ? this.#edits : this.#leads;
  }

  #stage(id: number, encode: Encode | undefined, isNew = false): void {
    const queue = this.#queueOf(ownerOf(id));
    queue.staging.stage(id, encode, isNew);
    // A change of a former leader does not become one of the present one.
    if (queue === this.#leads) this.#fences.set(id, this.#fence);
    if (queue.isBusy || this.#closed) return;
    queue.isBusy = true;
    nextTurn(() => void this.#flush(queue));
  }

  /** Commits what is staged, one commit after the other. */
  async #flush(queue: Queue): Promise<void> {
    const { staging } = queue;
    while (staging.hasStaged && !this.#closed) {
      const entries = this.#write(staging);
      const counted = await this.#commit(entries);
      staging.committed(counted.every((counts) => counts));
    }
    // Of records that were added and deleted before a commit.
    if (queue === this.#leads && !staging.hasStaged) this.#fences.clear();
    queue.isBusy = false;
  }

  /** Returns the next staged changes as entries. */
  #write(staging: RecordStaging): RecordsEntry[] {
    const entries: RecordsEntry[] = [];
    let group: Group | undefined;
    const end = () => {
      if (group === undefined) return;
      const entry = this.#entry(group.owner, group.guard, group.changes);
      if (group.owner === "zones") this.#guard = entry.mark;
      entries.push(entry);
      group = undefined;
    };
    let wasBound = false;
    for (const { id, value, isBound } of staging.write()) {
      const owner = ownerOf(id);
      const isFull = group !== undefined && group.bytes > MAX_ENTRY_BYTES &&
        !wasBound;
      const fence = this.#takeFence(id);
      if (
        isFull || group?.owner !== owner ||
        (owner !== "zones" && group.guard !== fence)
      ) {
        end();
        const guard = owner === "zones" ? this.#guard : fence;
        group = { owner, guard, changes: [], bytes: 0 };
      }
      group.changes.push({ id, value });
      group.bytes += CHANGE_BYTES + (value?.length ?? 0);
      wasBound = isBound;
    }
    end();
    return entries;
  }

  #takeFence(id: number): number {
    const fence = this.#fences.get(id) ?? 0;
    this.#fences.delete(id);
    return fence;
  }

  #entry(
    owner: RecordOwner,
    guard: number,
    changes: readonly RecordChange[],
  ): RecordsEntry {
    const mark = randomMark();
    return {
      kind: "records",
      now: this.#store.now(),
      ...{ owner, mark, guard, changes },
    };
  }

  /** @returns for each of the entries: whether it counts */
  async #commit(entries: readonly RecordsEntry[]): Promise<boolean[]> {
    for (const { mark } of entries) this.#own.set(mark, undefined);
    try {
      await this.#store.commit(entries);
      return entries.map(({ mark }) => this.#own.get(mark) === true);
    } catch {
      // The store was closed: what was committed is unknown.
      return entries.map(() => false);
    } finally {
      for (const { mark } of entries) this.#own.delete(mark);
    }
  }
}

/** Returns a random integer from 1 to 2^53 - 1. */
function randomMark(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high! & 0x1f_ffff) * 2 ** 32 + low! || 1;
}
