/**
 * A journal in memory that several servers of one test share.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { MapShard, OccupancyMap } from "../../src/grid/mod.ts";
import { decodeEntries, EntryEncoder } from "../../src/store/entry_codec.ts";
import {
  describeSources,
  joinSources,
  withSources,
} from "../../src/store/entry_sources.ts";
import { SharedRecords } from "../../src/store/redis/shared_records.ts";
import {
  applyEntry,
  type ApplyLoaded,
  type Delivery,
  type Entry,
  type Follower,
  type Leases,
  type LoadLimit,
  shardOfEntry,
  type SharedStore,
  type Store,
  StoreError,
} from "../../src/store/store.ts";

/** Entries of one commit in one shard. */
interface JournalItem {
  readonly writer: FakeSharedStore;
  /** The argument of `commit`, and the indexes of these entries. */
  readonly commit: readonly Entry[];
  readonly indexes: readonly number[];
  readonly bytes: Uint8Array;
  readonly sources: string | undefined;
}

/** The lease of a shard. */
interface Lease {
  readonly holder: FakeSharedStore | undefined;
  readonly fence: number;
}

/**
 * The journal. The test moves leases, delays members, and makes them fail; by
 * itself, nothing of that happens.
 */
export class FakeJournal {
  readonly shards: number;
  /** By shard, in order. */
  readonly items: JournalItem[][];
  readonly stores = new Set<FakeSharedStore>();
  readonly #leases: Lease[];
  readonly #encoder = new EntryEncoder();

  constructor({ shards = 1 } = {}) {
    this.shards = shards;
    this.items = Array.from({ length: shards }, () => []);
    this.#leases = this.items.map(() => ({ holder: undefined, fence: 0 }));
  }

  /** Returns the store of one more server. */
  open(name: string): FakeSharedStore {
    const store = new FakeSharedStore(this, name);
    this.stores.add(store);
    this.#changed();
    return store;
  }

  /** Gives the leases of shards, default: of all, to a store, or to none. */
  lease(
    holder: FakeSharedStore | undefined,
    shards: Iterable<number> = this.#leases.keys(),
  ): void {
    for (const shard of shards) {
      const { fence } = this.#leases[shard]!;
      this.#leases[shard] = {
        holder,
        fence: holder === undefined ? fence : fence + 1,
      };
    }
    this.#changed();
  }

  /** The same after the holders have completed their work. */
  async handOver(
    holder: FakeSharedStore,
    shards: readonly number[] = [...this.#leases.keys()],
  ): Promise<void> {
    await Promise.all(
      shards.map((shard) => this.#leases[shard]!.holder?.complete(shard)),
    );
    this.lease(holder, shards);
  }

  leaseOf(shard: number): Lease {
    return this.#leases[shard]!;
  }

  /** Removes a store: its leases are free. */
  remove(store: FakeSharedStore): void {
    if (!this.stores.delete(store)) return;
    for (const shard of this.#leases.keys()) {
      if (this.#leases[shard]!.holder === store) {
        this.lease(undefined, [shard]);
      }
    }
    this.#changed();
  }

  /** Appends entries, in the shards that they concern. Returns those. */
  append(writer: FakeSharedStore, commit: readonly Entry[]): number[] {
    const indexes = this.items.map((): number[] => []);
    for (const [index, entry] of commit.entries()) {
      const shard = shardOfEntry(writer.map, entry);
      if (shard === undefined) { for (const all of indexes) all.push(index); }
      else indexes[shard]!.push(index);
    }
    for (const [shard, own] of indexes.entries()) {
      if (own.length === 0) continue;
      const entries = own.map((index) => commit[index]!);
      const bytes = this.#encoder.encode(entries).slice();
      const sources = joinSources(entries.map(describeSources));
      this.items[shard]!.push({ writer, commit, indexes: own, bytes, sources });
    }
    for (const store of this.stores) store.wake();
    return [...indexes.keys()].filter((shard) => indexes[shard]!.length > 0);
  }

  #changed(): void {
    for (const store of this.stores) store.leasesChanged();
  }
}

/** The store of one server. Delivers a turn of the event loop after a commit. */
export class FakeSharedStore implements Store, SharedStore, Leases {
  readonly description = "fake:";
  readonly durable = true;
  readonly records: SharedRecords;
  readonly name: string;
  readonly #journal: FakeJournal;
  readonly #observers = new Set<() => void>();
  readonly #completing = new Set<(shard: number) => Promise<void>>();
  /** By shard: how many items were applied. */
  readonly #positions: number[];
  readonly #running: boolean[];
  /** What waits for a position, or that commits work again. */
  #waiting: (() => boolean)[] = [];
  #map: OccupancyMap | undefined;
  #follower: Follower | undefined;
  #failing = false;
  #frozen = false;
  #frozenShards: ReadonlySet<number> = new Set();
  #closed = false;
  #lastAlive: number | undefined;

  constructor(journal: FakeJournal, name: string) {
    this.#journal = journal;
    this.name = name;
    this.#positions = journal.items.map(() => 0);
    this.#running = journal.items.map(() => false);
    this.records = new SharedRecords({
      commit: (entries) => this.commit(entries),
      now: () => Date.now(),
    });
  }

  get shared(): SharedStore {
    return this;
  }

  get leases(): Leases {
    return this;
  }

  get shards(): number {
    return this.#journal.shards;
  }

  get lastAlive(): number | undefined {
    return this.#lastAlive;
  }

  get lag(): SharedStore["lag"] {
    const entries = this.#positions.reduce(
      (sum, position, shard) =>
        sum + this.#journal.items[shard]!.length - position,
      0,
    );
    return { entries, ms: 0 };
  }

  /** If true, commits wait, and nothing is delivered. */
  get failing(): boolean {
    return this.#failing;
  }

  set failing(failing: boolean) {
    this.#failing = failing;
    this.#follower?.onProblem(
      failing ? new StoreError("Redis does not answer") : undefined,
    );
    this.wake();
  }

  /** If true, nothing is delivered; the server does not notice it. */
  get frozen(): boolean {
    return this.#frozen;
  }

  set frozen(frozen: boolean) {
    this.#frozen = frozen;
    this.wake();
  }

  /** Delivers nothing of some shards. */
  freeze(shards: Iterable<number>): void {
    this.#frozenShards = new Set(shards);
    this.wake();
  }

  /** Replaces a shard of the map, as after a gap in the journal. */
  reload(shard: number, state: MapShard): void {
    this.map.replaceShard(shard, state);
    this.#follower!.onReloaded?.(shard);
  }

  /** The map of the server. */
  get map(): OccupancyMap {
    return this.#map!;
  }

  load(
    map: OccupancyMap,
    _limit?: LoadLimit,
    apply: ApplyLoaded = (entry, shard) => applyEntry(map, entry, shard),
  ): void {
    this.#map = map;
    for (const shard of this.#journal.items.keys()) {
      for (;;) {
        const item = this.#next(shard);
        if (item === undefined) break;
        for (const entry of this.#read(item)) apply(entry, shard);
        this.#positions[shard]!++;
      }
    }
  }

  follow(follower: Follower): void {
    this.#follower = follower;
    if (this.#failing) this.failing = true; // it is reported
    this.wake();
  }

  async commit(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#until(() => this.#closed || !this.#failing);
    if (this.#closed) throw new StoreError("The store is closed");
    const shards = this.#journal.append(this, entries);
    const ends = this.#ends();
    await this.#until(() => this.#closed || this.#isAt(ends, shards));
    if (this.#closed) throw new StoreError("The store is closed");
  }

  /** Number of calls of `sync`. */
  syncs = 0;

  async sync(shards: Iterable<number>): Promise<void> {
    this.syncs++;
    const ends = this.#ends();
    const wanted = [...shards];
    await this.#until(() =>
      this.#closed || this.#failing || this.#isAt(ends, wanted)
    );
  }

  applied(): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    if (!this.#failing && !this.#frozen) await this.records.flushed();
    this.kill();
  }

  /** Ends at once, as the process does when it is killed. */
  kill(): void {
    this.#closed = true;
    this.records.close();
    this.#journal.remove(this);
    this.wake();
  }

  get members(): readonly string[] {
    return Array.from(this.#journal.stores, ({ name }) => name).sort();
  }

  holds(shard: number): boolean {
    return !this.#closed && this.#journal.leaseOf(shard).holder === this;
  }

  fenceOf(shard: number): number | undefined {
    return this.holds(shard) ? this.#journal.leaseOf(shard).fence : undefined;
  }

  holderOf(shard: number): string | undefined {
    return this.#journal.leaseOf(shard).holder?.name;
  }

  observe(onChange: () => void): () => void {
    this.#observers.add(onChange);
    return () => this.#observers.delete(onChange);
  }

  beforeRelease(complete: (shard: number) => Promise<void>): () => void {
    this.#completing.add(complete);
    return () => this.#completing.delete(complete);
  }

  /** Called by the journal: a lease is given up. */
  async complete(shard: number): Promise<void> {
    await Promise.all(
      Array.from(this.#completing, (complete) => complete(shard)),
    );
  }

  /** Called by the journal. */
  leasesChanged(): void {
    for (const onChange of this.#observers) onChange();
  }

  /** Called by the journal: there may be something to deliver. */
  wake(): void {
    this.#resume();
    if (this.#follower === undefined) return;
    for (const shard of this.#positions.keys()) void this.#deliver(shard);
  }

  async #deliver(shard: number): Promise<void> {
    if (this.#running[shard]) return;
    this.#running[shard] = true;
    while (this.#next(shard) !== undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed || this.#failing || this.#frozen) break;
      if (this.#frozenShards.has(shard)) break;
      const item = this.#next(shard)!;
      await this.#follower!.apply(this.#deliveryOf(shard, item));
      this.#positions[shard]!++;
      this.#resume();
    }
    this.#running[shard] = false;
  }

  #deliveryOf(shard: number, item: JournalItem): Delivery {
    const { writer, commit, indexes } = item;
    const entries = this.#read(item);
    if (writer !== this) return { shard, entries };
    return { shard, entries, own: { commit, indexes } };
  }

  #next(shard: number): JournalItem | undefined {
    return this.#journal.items[shard]![this.#positions[shard]!];
  }

  /** Returns the entries of an item; applies those that are for the store. */
  #read({ bytes, sources = "[]" }: JournalItem): Entry[] {
    const entries = withSources([...decodeEntries(bytes)], sources);
    for (const entry of entries) {
      if (entry.kind === "records") this.records.apply(entry);
      if (entry.kind === "alive") this.#lastAlive = entry.now;
    }
    return entries;
  }

  #ends(): number[] {
    return this.#journal.items.map(({ length }) => length);
  }

  #isAt(
    ends: readonly number[],
    shards: Iterable<number> = ends.keys(),
  ): boolean {
    for (const shard of shards) {
      if (this.#positions[shard]! < ends[shard]!) return false;
    }
    return true;
  }

  #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        if (!isDone()) return false;
        resolve();
        return true;
      });
    });
  }

  #resume(): void {
    this.#waiting = this.#waiting.filter((tryAgain) => !tryAgain());
  }
}
