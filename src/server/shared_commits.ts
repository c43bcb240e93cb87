/**
 * Commits to a store that several servers share, and applies what it delivers.
 *
 * @module
 */
import { TurnTask, type WaitingWork, type Work } from "../common/turns.ts";
import type { Incoming } from "../mqtt/link.ts";
import {
  countReadings,
  type Delivery,
  type Entry,
  type Follower,
  type SharedStore,
  StoreError,
} from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import {
  addResult,
  applyOne,
  applyShared,
  type SubmissionResults,
  type WritableResults,
} from "./group_applier.ts";
import type { GroupParser } from "./group_parser.ts";
import type { Group } from "./group_reader.ts";
import { requestedLayers } from "./requested_layers.ts";

/** Called by {@linkcode SharedCommits}. */
export interface SharedEvents {
  /** Called after entries of any server were applied to the map. */
  onApplied(entries: readonly Entry[]): void;
  /** Called after a shard of the map was replaced. */
  onReloaded(shard: number): void;
  /** Called when the store fails, or works again (`undefined`). */
  onProblem(problem: StoreError | undefined): void;
  /** Called for a group that was read when the store failed already. */
  onHeld(problem: StoreError): void;
}

/** A group that is being committed. */
interface Pending {
  /** What of the group is to be completed after the commit. */
  group: Group;
  /** The argument of `Store.commit`: those of the group. */
  readonly entries: readonly Entry[];
  readonly results: WritableResults;
}

/** A group after its commit. */
export interface Outcome {
  readonly group: Group;
  /** Of its submissions; or why the commit failed. */
  readonly results: SubmissionResults | StoreError;
}

/**
 * The follower of a shared store: applies the entries of all servers in the
 * order of the journal. Own ones come back as they were committed, so that the
 * batches and submissions that they are from are still known.
 */
export class SharedCommits implements Follower {
  readonly #context: ServerContext;
  readonly #shared: SharedStore;
  readonly #parser: GroupParser;
  readonly #events: SharedEvents;
  #pending: Pending | undefined;
  #problem: StoreError | undefined;

  constructor(
    context: ServerContext,
    shared: SharedStore,
    parser: GroupParser,
    events: SharedEvents,
  ) {
    this.#context = context;
    this.#shared = shared;
    this.#parser = parser;
    this.#events = events;
  }

  /** Why the store fails; undefined while it works. */
  get problem(): StoreError | undefined {
    return this.#problem;
  }

  /** Begins to follow the journal. Call it when the map is loaded. */
  follow(): void {
    this.#shared.follow(this);
  }

  /**
   * Returns true if cells may have aged. The clocks of servers differ a little:
   * time does not go back when an entry has the time of one that is ahead.
   */
  isDue(now: number): boolean {
    return this.#context.map.shards.some((shard) =>
      shard.isDue(
        Number.isFinite(shard.latest) ? Math.max(now, shard.latest) : now,
      )
    );
  }

  /**
   * Commits and applies a group. Waits as long as the store fails; if it has
   * requests, also until all is applied that any server has committed before.
   */
  *commit(group: Group): WaitingWork<Outcome> {
    const entries = group.entries.map(({ entry }) => entry);
    const pending: Pending = { group, entries, results: new Map() };
    this.#pending = pending;
    if (this.#problem !== undefined) this.#events.onHeld(this.#problem);
    const problem = entries.length > 0
      ? yield* this.#commit(entries)
      : undefined;
    if (group.requests.length > 0) yield this.#sync(group);
    this.#pending = undefined;
    return { group: pending.group, results: problem ?? pending.results };
  }

  /**
   * The store fails: the submissions that wait for their commit fail. They may
   * be stored later, as the store still tries.
   *
   * @returns the requests that wait, which are answered now
   */
  releaseWaiting({ message }: StoreError): readonly Incoming[] {
    const pending = this.#pending;
    if (pending === undefined) return [];
    const { requests, submissions } = pending.group;
    pending.group = { ...pending.group, requests: [], submissions: [] };
    for (const submission of submissions) {
      submission.fail(
        "store-failing",
        `${message}; these readings may be stored all the same`,
      );
    }
    return requests;
  }

  /** @inheritdoc */
  apply(delivery: Delivery): Promise<void> {
    return new Promise((resolve) => {
      const task = new TurnTask(this.#applied(delivery), () => {
        this.#events.onApplied(delivery.entries);
        resolve();
      });
      task.run();
    });
  }

  /** @inheritdoc */
  onReloaded(shard: number): void {
    this.#events.onReloaded(shard);
  }

  /** @inheritdoc */
  canPublish(): boolean {
    return this.#context.status.link.up;
  }

  /** @inheritdoc */
  onProblem(problem: StoreError | undefined): void {
    this.#problem = problem;
    this.#events.onProblem(problem);
  }

  *#commit(entries: readonly Entry[]): WaitingWork<StoreError | undefined> {
    const { store, telemetry } = this.#context;
    const start = performance.now();
    let problem: StoreError | undefined;
    yield Promise.resolve(store.commit(entries)).catch((error) => {
      if (!(error instanceof StoreError)) throw error;
      problem = error;
    });
    telemetry.onCommit?.(performance.now() - start, countReadings(entries));
    return problem;
  }

  #sync({ requests }: Group): Promise<void> {
    const { map } = this.#context;
    const layers = requestedLayers(this.#context, requests);
    const shards = layers === undefined
      ? map.shards.keys()
      : new Set([...layers].map((layer) => map.shardOf(layer)));
    return this.#shared.sync(shards);
  }

  *#applied({ shard, entries, own }: Delivery): Work<void> {
    const pending = own !== undefined && own.commit === this.#pending?.entries
      ? this.#pending
      : undefined;
    // The group of a commit keeps its entries.
    const group = pending?.group.entries;
    for (const [i, entry] of entries.entries()) {
      if (i > 0) yield;
      const from = group?.[own!.indexes[i]!];
      if (from === undefined) {
        const lagMs = Math.max(0, this.#context.clock.now() - entry.now);
        applyShared(this.#context, entry, shard, 0, lagMs);
        continue;
      }
      const before = rowsBefore(from.entry, entry);
      const one = { ...from, entry, from: (from.from ?? 0) + before };
      const result = applyOne(this.#context, this.#parser, one, shard);
      addResult(pending!.results, one, result);
    }
  }
}

/**
 * Returns how many rows of an entry are before those of a delivered one, which
 * may be a piece of it: a view of the same columns.
 */
function rowsBefore(whole: Entry, piece: Entry): number {
  if (whole.kind !== "apply" || piece.kind !== "apply") return 0;
  const { x: all } = whole.readings;
  const { x: some } = piece.readings;
  if (all.buffer !== some.buffer) return 0;
  return (some.byteOffset - all.byteOffset) / all.BYTES_PER_ELEMENT;
}
