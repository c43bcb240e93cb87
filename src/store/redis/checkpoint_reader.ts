/**
 * Restores a shard from its checkpoint in Redis.
 *
 * While the chunks are read, the holder of the lease may put another checkpoint
 * in force and delete those that it does not need. So the reader looks at the end
 * which one is in force, and begins again if it is another one. Until then only
 * chunks without current tiles can be missing.
 *
 * @module
 */
import { untilNextTurn } from "../../common/next_turn.ts";
import type { MapShard } from "../../grid/mod.ts";
import { restoreMeta } from "../checkpoint_meta.ts";
import type { Checkpointer } from "../checkpointer.ts";
import type { LoadGuard } from "../load_guard.ts";
import { StoreError } from "../store.ts";
import {
  type CheckpointRecord,
  decodeRecord,
  RECORD_FIELDS,
  recordPrefix,
} from "./checkpoint_record.ts";
import {
  checkpointerOf,
  type CheckpointKeys,
  RedisCheckpointTarget,
} from "./checkpoint_target.ts";
import { decodeChunk } from "./chunk_value.ts";
import type { RedisNode, Reply } from "./deployment.ts";
import { list, text } from "./stream_entry.ts";

/** Chunks of one reply: about 512 KiB, decoded in some ms. */
const CHUNKS_PER_REPLY = 16;
/** Replies that are requested before the first is decoded. */
const REPLIES_AHEAD = 3;
/** A shard whose checkpoint is replaced so often while it is read is an error. */
const MAX_ATTEMPTS = 20;
const TIMEOUT_MS = 10_000;

/** A shard that was restored. */
export interface RestoredShard {
  readonly map: MapShard;
  readonly target: RedisCheckpointTarget;
  /** Knows the chunks of the checkpoint. */
  readonly checkpointer: Checkpointer<string>;
  /** Undefined if there is no checkpoint: then the map is empty. */
  readonly record: CheckpointRecord | undefined;
  /** The parts of the records. */
  readonly records: readonly (readonly [name: string, bytes: Uint8Array])[];
}

/** What {@linkcode readCheckpoint} needs. */
export interface CheckpointReaderOptions {
  readonly keys: CheckpointKeys;
  /** For errors: the address of the store, and the shard. */
  readonly description: string;
  /** Returns an empty shard; called again for each attempt. */
  readonly emptyShard: () => MapShard;
  /** Checks the size of the map; undefined: no limit. */
  readonly guard?: LoadGuard | undefined;
}

/**
 * Restores the checkpoint in force.
 *
 * @param node the master of the shard
 * @throws {StoreError} if it is damaged, or the map does not fit
 * @throws {RedisError} if it cannot be read
 */
export async function readCheckpoint(
  node: RedisNode,
  options: CheckpointReaderOptions,
): Promise<RestoredShard> {
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const restored = await tryRead(node, options);
      if (restored !== undefined) return restored;
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      throw damagedError(options.description, error);
    }
    throw error;
  }
  throw new StoreError(
    `Cannot load ${options.description}: its checkpoint was replaced ${MAX_ATTEMPTS} times while it was read`,
    {
      hint:
        "The connection to Redis is too slow for the readings that arrive. Start the server again when there are fewer.",
    },
  );
}

/** Returns undefined if another checkpoint was put in force meanwhile. */
async function tryRead(
  node: RedisNode,
  { keys, emptyShard, guard }: CheckpointReaderOptions,
): Promise<RestoredShard | undefined> {
  const map = emptyShard();
  const target = new RedisCheckpointTarget(keys);
  const readRecord = () =>
    node.send(["HMGET", keys.checkpoint, ...RECORD_FIELDS], TIMEOUT_MS);
  const [recordReply, names] = await Promise.all([
    readRecord(),
    node.send(["HKEYS", keys.chunks], TIMEOUT_MS),
  ]);
  const record = decodeRecord(recordReply);
  const position = record?.position ?? "";
  const checkpointer = checkpointerOf(target, position);
  if (record === undefined) {
    return { map, target, checkpointer, record, records: [] };
  }
  const { meta } = record;
  guard?.checkMeta(meta.map);
  restoreMeta(map, meta.map);
  const { ids, garbage } = sortIds(list(names).map(text), meta);
  await readChunks(node, keys.chunks, ids, (id, value) => {
    const chunk = decodeChunk(id, value);
    checkpointer.restoreChunk(map, chunk);
    guard?.loaded(chunk.bytes.length, () => 0);
  });
  const records = await readRecords(node, keys.chunks, record);
  const now = decodeRecord(await readRecord());
  if (now?.id !== record.id) return undefined;
  if (records === undefined) throw new RangeError("records are missing");
  if (map.size !== meta.map.cells) {
    throw new RangeError(`${map.size} cells of ${meta.map.cells} are there`);
  }
  checkpointer.loaded(map, {
    ...{ position, deletedTo: position, incomplete: garbage },
    lastChunk: meta.map.chunk!,
  });
  return { map, target, checkpointer, record, records };
}

/** Divides the chunks into those of the checkpoint, newest first, and others. */
function sortIds(
  names: readonly string[],
  { map, firstChunk }: CheckpointRecord["meta"],
) {
  const all = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const isUsed = (id: number) => id >= firstChunk && id <= map.chunk!;
  return {
    ids: all.filter(isUsed).sort((a, b) => b - a),
    garbage: all.filter((id) => !isUsed(id)).sort((a, b) => a - b),
  };
}

/** Reads chunks in their order. Skips those that were deleted meanwhile. */
async function readChunks(
  node: RedisNode,
  key: string,
  ids: readonly number[],
  onChunk: (id: number, value: Uint8Array) => void,
): Promise<void> {
  const replies: Promise<Reply>[] = [];
  const request = (from: number) => {
    const slice = ids.slice(from, from + CHUNKS_PER_REPLY).map(String);
    if (slice.length === 0) return;
    const reply = node.send(["HMGET", key, ...slice], TIMEOUT_MS);
    reply.catch(() => {}); // thrown when it is awaited
    replies.push(reply);
  };
  for (let i = 0; i < REPLIES_AHEAD; i++) request(i * CHUNKS_PER_REPLY);
  for (let from = 0; from < ids.length; from += CHUNKS_PER_REPLY) {
    const values = list(await replies.shift()!);
    request(from + REPLIES_AHEAD * CHUNKS_PER_REPLY);
    await untilNextTurn();
    for (const [i, value] of values.entries()) {
      if (value === null) continue;
      if (!(value instanceof Uint8Array)) throw new RangeError("not bytes");
      onChunk(ids[from + i]!, value);
    }
  }
}

/** Returns undefined if a part was deleted meanwhile. */
async function readRecords(
  node: RedisNode,
  key: string,
  { id, meta }: CheckpointRecord,
): Promise<RestoredShard["records"] | undefined> {
  const start = recordPrefix(id).length;
  const records: (readonly [string, Uint8Array])[] = [];
  for (const name of meta.records) {
    const value = await node.send(["HGET", key, name], TIMEOUT_MS);
    if (!(value instanceof Uint8Array)) return undefined;
    records.push([name.slice(start), value]);
  }
  return records;
}

function damagedError(description: string, cause: Error): StoreError {
  return new StoreError(
    `Cannot load ${description}: its data in Redis is damaged: ${cause.message}`,
    {
      hint:
        "Check the memory and the disk of Redis, and what else writes to its keys. Restore a backup of Redis, or use another prefix to begin with an empty map: redis://HOST:PORT/PREFIX.",
      cause,
    },
  );
}
