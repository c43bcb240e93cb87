/**
 * Publishes the deltas of the map.
 *
 * @module
 */
import type { Grid } from "../grid/mod.ts";
import type { Link } from "../mqtt/link.ts";
import type { ServerContext } from "./context.ts";
import { DeletedLayers } from "./deleted_layers.ts";
import { CHANGES_OPTIONS, writeAnnouncement, writeDelta } from "./delta.ts";
import type { Pipeline } from "./pipeline.ts";
import { PublishedShards } from "./published_shards.ts";
import { TurnTask, type Work } from "../common/turns.ts";

/** Above this, no delta is written: changes in the map cost no memory. */
const MAX_INFLIGHT_BYTES = 16 * 1024 * 1024;
/** How many intervals a layer with too many changed cells is paused. */
const PAUSE_INTERVALS = 10;

/**
 * Publishes deltas: for each layer that changed, the cells that changed since
 * its last delta. The first change is published at once, later ones once per
 * interval.
 *
 * Nothing is queued: the cells are read from the map when they can be sent, so
 * slow or disconnected receivers cost no memory. Changes that cannot be sent as
 * a delta are announced: by a delta without cells whose `from` equals its `to`.
 * A receiver with an older revision then requests what changed. Each interval an
 * announcement is repeated that could not be sent: receivers do not have to wait
 * for the next change.
 *
 * Of the servers of a shared store, the holder of a shard's lease publishes the
 * deltas of its layers. A new holder first announces them, with a revision that
 * is not older than the last delta of the holder before.
 */
export class ChangesPublisher {
  readonly #context: ServerContext;
  readonly #pipeline: Pick<Pipeline, "refresh">;
  readonly #shards: PublishedShards;
  /** By shard: every layer of it is published up to this revision. */
  readonly #publishedRevisions: number[];
  /** By shard: the revision at which all its layers were last announced. */
  readonly #announcedRevisions: number[];
  /** `OccupancyMap.restarts` at the last announcements. */
  readonly #restarts: number[];
  /** By layer: the revision of its last delta or announcement since then. */
  readonly #publishedLayers = new Map<string, number>();
  /** By layer: the remaining intervals of its pause. */
  readonly #pauses = new Map<string, number>();
  /** Layers that were deleted: announced next. */
  readonly #deleted: DeletedLayers;
  #isConnected = false;
  /** Increases with each connect and disconnect: it ends earlier work. */
  #connection = 0;
  /** Publishes layer by layer, in turns of the event loop. */
  #task: TurnTask<void> | undefined;
  /**
   * Shards whose layers are announced next: after a connect, after a message
   * could not be sent, or when this server begins to publish them.
   */
  readonly #unannounced = new Set<number>();
  #inflightBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ServerContext, pipeline: Pick<Pipeline, "refresh">) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#publishedRevisions = context.map.shards.map(() => 0);
    this.#announcedRevisions = context.map.shards.map(() => 0);
    this.#restarts = [...context.map.restarts];
    this.#deleted = new DeletedLayers(
      context.maxLayers,
      (layer) => this.#publishes(layer),
    );
    this.#shards = new PublishedShards(context.store.shared, {
      onBegin: (shard) => this.#onBegin(shard),
      onEnd: (shard) => this.#onEnd(shard),
      isFailing: () => context.status.storeProblem !== undefined,
    });
  }

  /**
   * Call after each connect: announces the revision of each layer.
   *
   * @param link the connection, if others are up already. The deltas of those
   * go on: its clients get the revision from which the next one continues
   */
  connected(link?: Link): void {
    if (link !== undefined) return this.#announceOn(link);
    this.#isConnected = true;
    this.#connection++;
    this.#shards.start();
    this.#announceNext();
    if (this.#context.changesInterval > 0) this.#begin(this.#publishAll());
  }

  /** Call when the connection is lost. */
  disconnected(): void {
    this.#isConnected = false;
    this.#connection++;
  }

  /** Call when the map may have changed. The call is cheap. */
  notify(): void {
    if (this.#timer === undefined) this.#schedule(0);
  }

  /** Call when a layer was deleted: receivers clear their copy. */
  layerDeleted(layer: string): void {
    this.#publishedLayers.delete(layer);
    this.#pauses.delete(layer);
    this.#deleted.add(layer);
    this.notify();
  }

  /** Publishes the remaining changes and stops. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#task?.finish();
    this.#pauses.clear();
    this.#publishChanges();
    this.#task?.finish();
    this.#isConnected = false;
    clearTimeout(this.#timer);
    this.#shards.stop();
  }

  /** This server publishes the deltas of a shard from now on. */
  #onBegin(shard: number): void {
    this.#unannounced.add(shard);
    this.#deleted.begin();
    this.notify();
  }

  /** Another server publishes them. */
  #onEnd(shard: number): void {
    const { map } = this.#context;
    this.#unannounced.delete(shard);
    for (const layer of this.#publishedLayers.keys()) {
      if (map.shardOf(layer) !== shard) continue;
      this.#publishedLayers.delete(layer);
      this.#pauses.delete(layer);
    }
  }

  /** Returns true if this server publishes the deltas of a layer. */
  #publishes(layer: string): boolean {
    return this.#shards.has(this.#context.map.shardOf(layer));
  }

  #announceNext(): void {
    for (const shard of this.#context.map.shards.keys()) {
      this.#unannounced.add(shard);
    }
  }

  #schedule(delay: number): void {
    const { changesInterval } = this.#context;
    if (changesInterval === 0 || !this.#isConnected) return;
    this.#timer = setTimeout(() => {
      const hadChanges = this.#publishChanges(); // notify() has no effect yet
      this.#timer = undefined;
      if (hadChanges) this.#schedule(changesInterval);
    }, delay);
  }

  /** Looks after an interval for what could not be published. */
  #retryLater(): void {
    if (this.#timer === undefined) {
      this.#schedule(this.#context.changesInterval);
    }
  }

  /** Publishes changes, if possible. Returns false if there are none. */
  #publishChanges(): boolean {
    const { changesInterval } = this.#context;
    if (!this.#isConnected || changesInterval === 0) return false;
    this.#noteRestarts();
    if (
      this.#unannounced.size === 0 && this.#deleted.size === 0 &&
      this.#changedShards().length === 0
    ) return false;
    if (this.#task !== undefined || this.#isFull) return true;
    this.#begin(this.#publishAll());
    return true;
  }

  /** An earlier state is announced: its revisions were published before. */
  #noteRestarts(): void {
    for (const [number, restarts] of this.#context.map.restarts.entries()) {
      if (restarts === this.#restarts[number]) continue;
      this.#restarts[number] = restarts;
      this.#unannounced.add(number);
    }
  }

  /** Returns the shards with changes that are not published, by number. */
  #changedShards(): number[] {
    const numbers: number[] = [];
    for (const [number, { revision }] of this.#context.map.shards.entries()) {
      if (
        revision !== this.#publishedRevisions[number] &&
        this.#shards.has(number)
      ) numbers.push(number);
    }
    return numbers;
  }

  /** Begins work that publishes. */
  #begin(work: Work<void>): void {
    const task = new TurnTask(work, () => {
      if (this.#task !== task) return;
      this.#task = undefined;
      if (this.#deleted.size > 0) this.#retryLater();
    });
    this.#task = task;
    task.run();
  }

  get #isFull(): boolean {
    return this.#inflightBytes > MAX_INFLIGHT_BYTES;
  }

  *#publishAll(): Work<void> {
    const connection = this.#connection;
    if (this.#unannounced.size > 0) yield* this.#announceShards();
    else yield* this.#publishDeltas();
    if (connection === this.#connection) yield* this.#announceDeleted();
  }

  *#publishDeltas(): Work<void> {
    const connection = this.#connection;
    for (const [index, number] of this.#changedShards().entries()) {
      if (index > 0) yield;
      if (connection !== this.#connection) return;
      if (!(yield* this.#publishShard(number))) return;
    }
  }

  /** Publishes the deltas of a shard. Returns false to publish no further. */
  *#publishShard(number: number): Work<boolean> {
    const shard = this.#context.map.shards[number]!;
    const connection = this.#connection;
    const { revision } = shard;
    let isComplete = true;
    let hasPublished = false;
    for (const [layer, grid] of shard.layers()) {
      const from = this.#publishedLayers.get(layer) ??
        this.#announcedRevisions[number]!;
      if (grid.revision <= from) continue;
      if (this.#countDownPause(layer)) {
        isComplete = false;
        continue;
      }
      if (hasPublished) yield;
      if (connection !== this.#connection) return false;
      // Deleted in between, or the shard was replaced.
      if (this.#context.map.layer(layer) !== grid) continue;
      const now = this.#pipeline.refresh();
      if (now === undefined || this.#isFull) return false;
      if (!this.#shards.has(number)) return true;
      this.#publishDelta(layer, grid, from, now);
      hasPublished = true;
    }
    if (isComplete) this.#publishedRevisions[number] = revision;
    return true;
  }

  /** Returns true if a layer is paused in this interval. */
  #countDownPause(layer: string): boolean {
    const left = this.#pauses.get(layer);
    if (left === undefined) return false;
    if (left > 1) this.#pauses.set(layer, left - 1);
    else this.#pauses.delete(layer);
    return true;
  }

  #publishDelta(layer: string, grid: Grid, from: number, now: number): void {
    const delta = writeDelta(this.#context, { layer, grid, from, time: now });
    if (delta === undefined) {
      this.#pauses.set(layer, PAUSE_INTERVALS);
      this.#announce(layer);
      return;
    }
    this.#publishedLayers.set(layer, delta.to);
    void this.#publish(layer, delta.parts);
  }

  *#announceShards(): Work<void> {
    const { map } = this.#context;
    const connection = this.#connection;
    const numbers = [...this.#unannounced].filter((number) =>
      this.#shards.has(number)
    );
    // The others are announced when this server publishes them.
    this.#unannounced.clear();
    for (const number of numbers) {
      const shard = map.shards[number]!;
      for (const [layer] of shard.layers()) this.#publishedLayers.delete(layer);
      this.#publishedRevisions[number] = shard.revision;
      this.#announcedRevisions[number] = shard.revision;
    }
    let hasPublished = false;
    for (const number of numbers) {
      for (const [layer] of map.shards[number]!.layers()) {
        if (hasPublished) yield;
        if (connection !== this.#connection) return;
        if (!this.#shards.has(number)) break;
        this.#announce(layer);
        hasPublished = true;
      }
    }
  }

  #announceOn(link: Link): void {
    if (this.#context.changesInterval === 0) return;
    new TurnTask(this.#announcePublished(link), () => {}).run();
  }

  *#announcePublished(link: Link): Work<void> {
    const { map, clock, topics } = this.#context;
    const connection = this.#connection;
    for (const [layer] of map.layers()) {
      // Of a layer that is new, the first delta comes.
      const revision = this.#publishedLayers.get(layer);
      if (revision === undefined || !this.#publishes(layer)) continue;
      const time = clock.now();
      const parts = writeAnnouncement(this.#context, layer, revision, time);
      for (const part of parts) {
        link.publish(topics.changes(layer), part, CHANGES_OPTIONS)
          .catch(() => this.#onLost(layer));
      }
      yield;
      if (connection !== this.#connection) return;
    }
  }

  /** Announces deleted layers, unless a delta shows that they are new. */
  *#announceDeleted(): Work<void> {
    const connection = this.#connection;
    while (!this.#isFull && connection === this.#connection) {
      const layer = this.#deleted.take();
      if (layer === undefined) return;
      if (this.#context.map.layer(layer) !== undefined) continue;
      this.#announce(layer);
      this.#publishedLayers.delete(layer);
      if (this.#deleted.size > 0) yield;
    }
  }

  /** Publishes the revision of a layer without cells. */
  #announce(layer: string): void {
    const { map, clock } = this.#context;
    const revision = map.revisionOf(layer);
    this.#publishedLayers.set(layer, revision);
    const parts = writeAnnouncement(
      this.#context,
      layer,
      revision,
      clock.now(),
    );
    void this.#publish(layer, parts);
  }

  async #publish(layer: string, parts: readonly Uint8Array[]): Promise<void> {
    const { link, topics } = this.#context;
    const topic = topics.changes(layer);
    await Promise.all(parts.map(async (part) => {
      this.#inflightBytes += part.length;
      try {
        await link.publish(topic, part, CHANGES_OPTIONS);
      } catch {
        this.#onLost(layer);
      }
      this.#inflightBytes -= part.length;
    }));
  }

  /**
   * A message was not sent: its layer is announced after an interval, or after
   * the next connect.
   */
  #onLost(layer: string): void {
    const { map } = this.#context;
    if (map.layer(layer) === undefined) this.#deleted.add(layer);
    else this.#unannounced.add(map.shardOf(layer));
    this.#retryLater();
  }
}
