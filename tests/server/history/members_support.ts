/** Servers that share the tables of one history, without a network. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { History } from "../../../src/server/history/history.ts";
import type { HistoryWrites } from "../../../src/server/history/history_writes.ts";
import type { LeadershipObserver } from "../../../src/server/leadership.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import {
  applyEntry,
  type Entry,
  type HistoryTables,
  type HistoryWork,
  type SharedStore,
  type Store,
  StoreError,
} from "../../../src/store/store.ts";
import { serverLog } from "../../support/server_log.ts";
import { NOTHING } from "./support.ts";

export const AGEING = {
  staleAfter: 20_000,
  forgetAfter: 60_000,
  maxSkew: 5_000,
};

/** What all members share: a journal, the tables, and the lease to write. */
export class Group {
  now: number;
  readonly shards = 2;
  readonly journal: Entry[] = [];
  readonly store = new MemoryStore();
  fence = 0;
  leader: Member | undefined;
  /** The memory of Redis, as the server that writes reads it. */
  memoryFull = false;

  constructor(now: number) {
    this.now = now;
    void this.store.load();
  }

  get tables(): HistoryTables {
    return this.store.history!;
  }

  /** Appends an entry and applies it on some members. */
  commit(entry: Entry, members: Iterable<Member>): void {
    this.journal.push(entry);
    for (const member of members) member.apply(entry);
  }

  /** Makes a member the leader; the one before may not know of it. */
  async elect(member: Member): Promise<void> {
    this.fence++;
    this.leader = member;
    member.fence = this.fence;
    member.role.onElected?.();
    await member.untilWriting();
  }
}

/** A server with a map and a history. */
export class Member {
  readonly map: OccupancyMap;
  readonly history: History;
  role: LeadershipObserver = {};
  /** That of its lease, as it knows it. */
  fence: number | undefined;
  /** Its commits fail from now on, as those of a server without a network. */
  isCut = false;
  readonly warnings: string[] = [];
  readonly #group: Group;
  /** With this one it writes. */
  #writes: number | undefined;
  #meta = new Map<string, number>();
  #applied = 0;

  constructor(group: Group) {
    this.#group = group;
    this.map = new OccupancyMap({ ...AGEING }, { shards: group.shards });
    const store = this.#store();
    this.history = new History(
      {
        store,
        map: this.map,
        log: serverLog((line) => this.warnings.push(line)),
        leadership: {
          observe: (observer) => {
            this.role = observer;
            return () => {};
          },
        },
        now: () => group.now,
        monotonic: () => group.now,
      },
      store.history!,
      { stepSeconds: 1 },
    );
    this.#work = store.historyWork!;
  }

  readonly #work: HistoryWork;

  /** Loads the map from the whole journal. */
  start(): void {
    this.#refresh();
    this.#work.opened!();
    for (const entry of this.#group.journal) {
      this.#work.beforeReplay!(entry.now);
      applyEntry(this.map, entry);
    }
    this.#applied = this.#group.journal.length;
    this.history.loaded();
  }

  apply(entry: Entry): void {
    assert.equal(this.#group.journal[this.#applied++], entry);
    this.history.advance(entry.now);
    applyEntry(this.map, entry);
  }

  /** All that it writes. */
  get writes(): HistoryWrites {
    return this.#work as HistoryWrites;
  }

  /** Waits until it writes, as the leader. */
  async untilWriting(): Promise<void> {
    while (!this.history.recorder.isWriting) await Promise.resolve();
  }

  /** Writes what there is. */
  async write(): Promise<void> {
    while (this.#work.hasWork && await this.#commit() === undefined);
  }

  covers(shard: number, revision: number): boolean {
    return this.#work.covers!(shard, revision);
  }

  #refresh(): void {
    this.#meta.clear();
    for (const [key, value] of this.#group.tables.meta) {
      this.#meta.set(key, value);
    }
  }

  #store(): Store {
    const group = this.#group;
    const { tables } = group;
    const isLeader = () => group.leader === this;
    const own = {
      meta: this.#meta,
      refresh: () => this.#refresh(),
      shared: {
        lead: (fence: number) => {
          this.#refresh();
          this.#writes = fence;
          return Promise.resolve(fence === this.#group.fence);
        },
        resign: () => this.#writes = undefined,
        isLeading: true,
        stored: (key: string) => this.#meta.get(key),
        get memoryFull() {
          return group.memoryFull && isLeader();
        },
      },
    };
    const view = new Proxy(tables, {
      get: (target, key) => {
        if (key in own) return Reflect.get(own, key);
        const value = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const leases = { fenceOf: () => this.fence, holderOf: () => "leader" };
    const shared = { leases } as unknown as SharedStore;
    return {
      description: "shared:",
      durable: true,
      shared,
      history: view,
      load() {},
      commit() {},
      applied() {},
      commitHistory: () => this.#commit(),
      close() {},
    };
  }

  /** Commits a transaction, unless another member may write. */
  async #commit(): Promise<StoreError | undefined> {
    const work = this.#work;
    const { store } = this.#group;
    if (!work.hasWork) return undefined;
    if (this.isCut || this.#writes !== this.#group.fence) {
      work.write(NO_TABLES, Infinity);
      await Promise.resolve();
      work.failed();
      return new StoreError("Redis does not answer");
    }
    await Promise.resolve();
    store.historyWork = {
      ...NOTHING,
      hasWork: true,
      write: (tables, budgetMs) => work.write(tables, budgetMs),
      committed: () => work.committed(),
      failed: () => work.failed(),
    };
    const problem = store.commitHistory!();
    assert.equal(problem, undefined);
    this.#refresh();
    return undefined;
  }
}

/** What is written to it is lost. */
const NO_TABLES = new Proxy({ meta: new Map() }, {
  get: (target, key) => Reflect.get(target, key) ?? (() => ({ done: true })),
}) as unknown as HistoryTables;
