/**
 * Reads rows of the history from Redis.
 *
 * @module
 */
import { delay } from "../../../common/async.ts";
import type { Region } from "../../../grid/mod.ts";
import { TILE_SIDE } from "../../../grid/tiles.ts";
import type {
  HistoryDayRow,
  HistoryHourRow,
  HistoryRow,
  HistoryTile,
  HistoryTileRows,
  HistoryZone,
} from "../../history_tables.ts";
import {
  type Deployment,
  RedisError,
  type RedisNode,
  type Reply,
} from "../deployment.ts";
import { redisStoreError } from "../redis_problem.ts";
import { ShardNodes } from "../shard_nodes.ts";
import { list, text } from "../stream_entry.ts";
import { decodeParts, decodeRow, decodeTile, encodeTile } from "./rows.ts";
import * as scripts from "./scripts.ts";
import { decodeState, type ShardState } from "./shard_state.ts";

/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 5000;
/** A master that fails is replaced within this time, in ms. */
const RETRY_FOR_MS = 8000;
const RETRY_INTERVAL_MS = 200;
/** Tiles of a reply. */
const TILES_PER_REPLY = 1024;

/** A coordinate of tiles beyond all. */
const MAX_TILE = 2 ** 30;
const EVERYWHERE: Region = {
  x0: -Infinity,
  y0: -Infinity,
  x1: Infinity,
  y1: Infinity,
};

/** A tile of a layer. */
type Place = Pick<HistoryTile, "tx" | "ty">;

/** Options of {@linkcode HistoryReads}. */
export interface HistoryReadsOptions {
  readonly deployment: Deployment;
  /** Returns the key of a shard that all scripts get. */
  readonly keyOf: (shard: number) => string;
  /** Returns the shard of a layer. */
  readonly shardOf: (layer: string) => number;
}

/** Reads over connections of its own. All members throw a {@linkcode StoreError}. */
export class HistoryReads {
  readonly #options: HistoryReadsOptions;
  readonly #nodes: ShardNodes;
  readonly #closing = new AbortController();

  constructor(options: HistoryReadsOptions) {
    this.#options = options;
    this.#nodes = new ShardNodes(options.deployment, options.keyOf);
  }

  /** Ends. */
  close(): void {
    this.#closing.abort();
    this.#nodes.close();
  }

  /** What servers have in memory of a shard. */
  async state(shard: number): Promise<ShardState> {
    return decodeState(await this.#run(shard, scripts.READ_STATE));
  }

  /** See `HistoryTables.tileRows()`. */
  async tileRows(
    layer: string,
    tx: number,
    ty: number,
    frameHour: number,
    toHour: number,
  ): Promise<HistoryTileRows> {
    const reply = await this.#ofLayer(
      ...[scripts.READ_TILE, layer, encodeTile(tx, ty)] as const,
      ...[`${frameHour}`, `${toHour}`],
    );
    const [frame, blocks, open] = list(reply);
    return {
      frame: hourRows(frame)[0],
      blocks: hourRows(blocks),
      open: pairs(open).map(([hour, parts]) => ({
        hour: Number(text(hour)),
        parts: decodeParts(bytesOf(parts)),
      })),
    };
  }

  /** See `HistoryTables.hourRows()`. */
  async hourRows(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Promise<readonly HistoryRow[]> {
    const [blocks, open] = list(
      await this.#ofLayer(
        ...[scripts.READ_HOUR, layer, encodeTile(tx, ty), `${hour}`] as const,
      ),
    );
    const parts = pairs(open).flatMap(([, bytes]) =>
      decodeParts(bytesOf(bytes))
    );
    return [...hourRows(blocks).map(({ bytes }) => ({ bytes })), ...parts];
  }

  /** See `HistoryTables.blocks()`. */
  async blocks(
    layer: string,
    tx: number,
    ty: number,
    fromHour: number,
    toHour: number,
  ): Promise<readonly HistoryHourRow[]> {
    return hourRows(
      await this.#rows("blocks", layer, tx, ty, fromHour, toHour),
    );
  }

  /** See `HistoryTables.frameBefore()`. */
  async frameBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Promise<HistoryHourRow | undefined> {
    return hourRows(await this.#newest("frames", layer, tx, ty, hour))[0];
  }

  /** See `HistoryTables.cellDays()`. */
  async cellDays(
    layer: string,
    tx: number,
    ty: number,
    fromDay: number,
    toDay: number,
  ): Promise<readonly HistoryDayRow[]> {
    return dayRows(
      await this.#rows("cell-days", layer, tx, ty, fromDay, toDay),
    );
  }

  /** See `HistoryTables.cellDayBefore()`. */
  async cellDayBefore(
    layer: string,
    tx: number,
    ty: number,
    day: number,
  ): Promise<HistoryDayRow | undefined> {
    return dayRows(await this.#newest("cell-days", layer, tx, ty, day - 1))[0];
  }

  /** The rollups of a zone in a shard. */
  async zoneDays(
    shard: number,
    zone: string,
    fromDay: number,
    toDay: number,
  ): Promise<readonly HistoryDayRow[]> {
    const days = [`${fromDay}`, `${toDay}`];
    return dayRows(await this.#run(shard, scripts.READ_ZONE, zone, ...days));
  }

  /** The zones of a shard. */
  async zones(shard: number): Promise<readonly HistoryZone[]> {
    const reply = await this.#run(shard, scripts.READ_ZONES);
    return pairs(reply).flatMap(([zone, entry]) => {
      const found = /^\d+ (\d+) (\d+) ([^]*)$/.exec(text(entry));
      if (found === null) return []; // of another program
      const [, first, last, layer] = found;
      return {
        zone: text(zone),
        layer: layer!,
        firstDay: Number(first),
        lastDay: Number(last),
      };
    });
  }

  /** See `HistoryTables.tilesOf()`. */
  async tilesOf(
    layer: string,
    region: Region | undefined,
    limit: number,
    after: Place | undefined,
  ): Promise<readonly Place[]> {
    const { x0, y0, x1, y1 } = region ?? EVERYWHERE;
    const [ty0, ty1] = [tileOf(y0), tileOf(y1)];
    let start = lexical("[", tileOf(x0), ty0);
    const end = lexical("[", tileOf(x1), ty1);
    if (after !== undefined) start = lexical("(", after.tx, after.ty);
    const tiles: Place[] = [];
    for (;;) {
      const wanted = region === undefined ? limit : TILES_PER_REPLY;
      const reply = await this.#ofLayer(
        ...[scripts.READ_TILES, layer, start, end] as const,
        `${Math.min(wanted, TILES_PER_REPLY)}`,
      );
      const page = list(reply).map(bytesOf);
      const last = page.at(-1);
      if (last === undefined) return tiles;
      for (const bytes of page) {
        const tile = decodeTile(bytes);
        if (tile === undefined || tile.ty < ty0 || tile.ty > ty1) continue;
        if (tiles.push(tile) === limit) return tiles;
      }
      start = bound("(", last);
    }
  }

  /** The tiles of a shard with parts of an hour. */
  async openTiles(
    shard: number,
    hour: number,
    limit: number,
  ): Promise<readonly HistoryTile[]> {
    const reply = await this.#run(
      ...[shard, scripts.READ_OPEN_TILES, `${hour}`, `${limit}`] as const,
    );
    return pairs(reply).flatMap(([layer, bytes]) => {
      const tile = decodeTile(bytesOf(bytes));
      return tile === undefined ? [] : { layer: text(layer), ...tile };
    });
  }

  #rows(
    kind: string,
    layer: string,
    tx: number,
    ty: number,
    from: number,
    to: number,
  ): Promise<Reply> {
    const times = [`${from}`, `${to}`];
    const tile = encodeTile(tx, ty);
    const shard = this.#options.shardOf(layer);
    return this.#run(shard, scripts.READ_ROWS, kind, layer, tile, ...times);
  }

  #newest(
    kind: string,
    layer: string,
    tx: number,
    ty: number,
    to: number,
  ): Promise<Reply> {
    const tile = encodeTile(tx, ty);
    const shard = this.#options.shardOf(layer);
    return this.#run(shard, scripts.READ_NEWEST, kind, layer, tile, `${to}`);
  }

  #ofLayer(
    script: string,
    layer: string,
    ...more: readonly (string | Uint8Array)[]
  ): Promise<Reply> {
    return this.#run(this.#options.shardOf(layer), script, layer, ...more);
  }

  /** Runs a script, also while a master is replaced. */
  async #run(
    shard: number,
    script: string,
    ...args: readonly (string | Uint8Array)[]
  ): Promise<Reply> {
    const { deployment, keyOf } = this.#options;
    const { signal } = this.#closing;
    const end = performance.now() + RETRY_FOR_MS;
    const work = (node: RedisNode) =>
      node.send(["EVAL", script, "1", keyOf(shard), ...args], TIMEOUT_MS);
    for (;;) {
      try {
        return await this.#nodes.run(shard, work);
      } catch (error) {
        const mayWork = error instanceof RedisError &&
          (error.kind === "connection" || error.kind === "elsewhere");
        if (!mayWork || signal.aborted || performance.now() >= end) {
          throw redisStoreError(deployment.description, error);
        }
        await delay(RETRY_INTERVAL_MS, signal);
      }
    }
  }
}

/** A coordinate of tiles, of a cell that may be outside of all. */
function tileOf(cell: number): number {
  const tile = Math.floor(cell / TILE_SIDE);
  return Math.min(Math.max(tile, -MAX_TILE), MAX_TILE);
}

/** A bound of ZRANGEBYLEX. */
function lexical(bracket: "(" | "[", tx: number, ty: number): Uint8Array {
  return bound(bracket, encodeTile(tx, ty));
}

function bound(bracket: "(" | "[", member: Uint8Array): Uint8Array {
  return Uint8Array.of(bracket.charCodeAt(0), ...member);
}

function pairs(reply: Reply | undefined): (readonly [Reply, Reply])[] {
  const items = list(reply);
  return Array.from(
    { length: items.length / 2 },
    (_, i) => [items[2 * i]!, items[2 * i + 1]!],
  );
}

function timed(reply: Reply | undefined): [number, HistoryRow][] {
  return pairs(reply).map((
    [time, row],
  ) => [Number(text(time)), decodeRow(bytesOf(row))]);
}

function hourRows(reply: Reply | undefined): HistoryHourRow[] {
  return timed(reply).map(([hour, { bytes }]) => ({ hour, bytes }));
}

function dayRows(reply: Reply | undefined): HistoryDayRow[] {
  return timed(reply).map(([day, { bytes }]) => ({ day, bytes }));
}

function bytesOf(reply: Reply): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  throw new RangeError("Redis answered with something else than bytes");
}
