/**
 * Collects what changes the history in Redis: the members of `HistoryTables` that
 * write.
 *
 * @module
 */
import type { Gap } from "../../../history/gaps.ts";
import type {
  HistoryHourEnd,
  HistoryRemoval,
  HistoryTables,
} from "../../history_tables.ts";
import { HistoryBatch, type Receive } from "./batch.ts";
import { encodePart, encodeRow, encodeTile } from "./rows.ts";
import { encodeGap } from "./shard_state.ts";
import type { ShardStates } from "./shard_states.ts";

/** The members of the tables that change them. */
type Writes = Pick<
  HistoryTables,
  | "appendPart"
  | "putBlock"
  | "dropParts"
  | "putFrame"
  | "putCellDay"
  | "putZoneDay"
  | "putMeta"
  | "addGap"
  | "endHour"
  | "deleteLayer"
  | "deleteRest"
  | "deleteBlocksBefore"
  | "deleteCellDaysBefore"
  | "deleteZoneDaysBefore"
  | "deleteGapsBefore"
  | "deleteUnusedTiles"
>;

/** What a {@linkcode HistoryCollector} needs. */
export interface CollectorContext {
  /** Number of shards. */
  readonly shards: number;
  /** Returns the shard of a layer. */
  readonly shardOf: (layer: string) => number;
  readonly states: ShardStates;
}

/** Collects operations in a batch; see `HistoryTables` for its members. */
export abstract class HistoryCollector implements Writes {
  /** What is collected. */
  protected batch = new HistoryBatch();
  readonly #context: CollectorContext;
  /** Removals go through one shard after the other: where they are. */
  readonly #sweeps = new Map<string, number>();

  constructor(context: CollectorContext) {
    this.#context = context;
  }

  appendPart(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    const part = encodePart(bytes);
    this.#add(layer, ["part", layer, `${hour}`, encodeTile(tx, ty), part]);
    this.#context.states.wrote(layer, hour);
  }

  putBlock(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    this.#putRow("blocks", layer, tx, ty, hour, bytes);
  }

  dropParts(layer: string, tx: number, ty: number, hour: number): void {
    this.#add(layer, ["drop", layer, `${hour}`, encodeTile(tx, ty)]);
  }

  putFrame(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    bytes: Uint8Array,
  ): void {
    this.#putRow("frames", layer, tx, ty, hour, bytes);
  }

  putCellDay(
    layer: string,
    tx: number,
    ty: number,
    day: number,
    bytes: Uint8Array,
  ): void {
    this.#putRow("cell-days", layer, tx, ty, day, bytes);
  }

  putZoneDay(
    zone: string,
    layer: string,
    day: number,
    bytes: Uint8Array,
  ): void {
    this.#add(layer, ["zone", zone, layer, `${day}`, encodeRow(bytes)]);
    // The row has what those of the day in other shards have.
    const { shardOf, states } = this.#context;
    for (const shard of states.knownShardsOfZone(zone)) {
      if (shard === shardOf(layer)) continue;
      this.batch.add(shard, ["moved", zone, `${day}`]);
    }
    this.#context.states.wrote(layer);
  }

  putMeta(key: string, value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`${key} is not finite`);
    this.batch.addLast(["number", key, `${value}`]);
    this.#context.states.meta.set(key, value);
  }

  addGap(gap: Gap): void {
    if (gap.from < gap.to) this.batch.addLast(["gap", encodeGap(gap)]);
  }

  endHour(hour: number): HistoryHourEnd {
    const end = { isEnded: true };
    for (let shard = 0; shard < this.#context.shards; shard++) {
      this.batch.add(shard, ["endHour", `${hour}`], (_rows, isEnded) => {
        end.isEnded &&= isEnded;
      });
    }
    return end;
  }

  deleteLayer(layer: string): void {
    this.#add(layer, ["deleteLayer", layer]);
    this.#context.states.deleted(layer);
  }

  deleteRest(limit: number): HistoryRemoval {
    return this.#sweep(["deleteRest", `${limit}`]);
  }

  deleteBlocksBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
    limit: number,
  ): HistoryRemoval {
    const removal = { rows: 0, done: false };
    const tile = encodeTile(tx, ty);
    this.#add(
      layer,
      ["deleteBlocks", layer, tile, `${hour}`, `${limit}`],
      (rows, done) => Object.assign(removal, { rows, done }),
    );
    return removal;
  }

  deleteCellDaysBefore(day: number, limit: number): HistoryRemoval {
    return this.#sweep(["deleteCellDays", `${day}`, `${limit}`]);
  }

  deleteZoneDaysBefore(day: number, limit: number): HistoryRemoval {
    return this.#sweep(["deleteZoneDays", `${day}`, `${limit}`]);
  }

  deleteGapsBefore(second: number): void {
    for (
      const gap of this.#context.states.gaps({ from: -Infinity, to: second })
    ) {
      if (gap.to <= second) this.batch.addLast(["noGap", encodeGap(gap)]);
    }
  }

  /** Does nothing: tiles are forgotten with their layer. */
  deleteUnusedTiles(): HistoryRemoval {
    return { rows: 0, done: true };
  }

  #putRow(
    kind: "blocks" | "frames" | "cell-days",
    layer: string,
    tx: number,
    ty: number,
    time: number,
    bytes: Uint8Array,
  ): void {
    const tile = encodeTile(tx, ty);
    this.#add(layer, ["row", kind, layer, `${time}`, tile, encodeRow(bytes)]);
    this.#context.states.wrote(layer);
  }

  /** One step of a removal, in one shard. */
  #sweep(operation: readonly [name: string, ...string[]]): HistoryRemoval {
    const [name] = operation;
    const shard = this.#sweeps.get(name) ?? 0;
    const removal = { rows: 0, done: false };
    this.batch.add(shard, operation, (rows, isDone) => {
      const next = isDone ? shard + 1 : shard;
      const done = next === this.#context.shards;
      this.#sweeps.set(name, done ? 0 : next);
      Object.assign(removal, { rows, done });
    });
    return removal;
  }

  #add(
    layer: string,
    operation: readonly (string | Uint8Array)[],
    receive?: Receive,
  ): void {
    this.batch.add(this.#context.shardOf(layer), operation, receive);
  }
}
