/**
 * Collects what a step of a checkpoint writes to Redis, and sends it.
 *
 * @module
 */
import type { StoredMeta } from "../checkpoint_meta.ts";
import { Checkpointer } from "../checkpointer.ts";
import type { CheckpointTarget, StoredChunk } from "../checkpoint_target.ts";
import {
  COMMIT_CHECKPOINT,
  COPY_CHUNK,
  DELETE_CHUNKS,
  ScriptResult,
  WRITE_CHUNK,
} from "./checkpoint_scripts.ts";
import { type CheckpointRecord, encodeRecord } from "./checkpoint_record.ts";
import { encodeChunk } from "./chunk_value.ts";
import type { RedisNode } from "./deployment.ts";

/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 5000;

/** The keys of a shard that a checkpoint uses, and how it does. */
export interface CheckpointKeys {
  readonly lease: string;
  readonly checkpoint: string;
  readonly chunks: string;
  readonly journal: string;
  /** True: a copy. It frees no memory, so it is refused above `maxmemory`. */
  readonly isCopy: boolean;
}

/** A script did not do its work: `ScriptResult` says why. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
  readonly result: number;

  constructor(result: number) {
    super(
      result === ScriptResult.noLease
        ? "the lease is with another server"
        : result === ScriptResult.otherCheckpoint
        ? "another checkpoint is in force"
        : "Redis does not have what was written",
    );
    this.result = result;
  }
}

/** What the last step of a checkpoint adds to what the checkpointer writes. */
export interface CheckpointEnd {
  /** The id of the checkpoint before; empty if there was none. */
  readonly previous: string;
  /** The id of the first chunk that the checkpoint may have written. */
  readonly firstWritten: number;
  /** Names of other chunks that it has written. */
  readonly others: readonly string[];
  /**
   * Returns false while the commit has to wait, because the history does not
   * have what the checkpoint covers.
   */
  mayCommit(): boolean;
  /** Returns the record of the checkpoint. */
  record(
    map: Readonly<Record<string, number>>,
    position: string,
  ): CheckpointRecord;
}

/** Writes checkpoints of a shard to Redis. Positions are ids of the journal. */
export class RedisCheckpointTarget implements CheckpointTarget<string> {
  readonly #keys: CheckpointKeys;
  #chunks: (readonly [name: string, value: Uint8Array])[] = [];
  #deleted: string[] = [];
  #commit: { readonly record: CheckpointRecord; readonly last: number } | void =
    undefined;
  /** Of the running checkpoint. */
  end: CheckpointEnd | undefined;

  constructor(keys: CheckpointKeys) {
    this.#keys = keys;
  }

  /** False while the running checkpoint must not be complete. */
  get mayCommit(): boolean {
    return this.end?.mayCommit() ?? true;
  }

  /** True if there is nothing to send. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#deleted.length === 0 &&
      this.#commit === undefined;
  }

  insertChunk(chunk: StoredChunk): void {
    this.#chunks.push([`${chunk.id}`, encodeChunk(chunk)]);
  }

  deleteChunk(id: number): void {
    this.#deleted.push(`${id}`);
  }

  writeMeta(meta: StoredMeta, position: string): void {
    const record = this.end!.record(meta, position);
    this.#commit = { record, last: meta.chunk! };
  }

  /** The journal is trimmed by `TRIM_JOURNAL`, after the checkpoint. */
  deleteJournal(_from: string, to: string): string {
    return to;
  }

  /**
   * Sends what was collected; nothing is left afterwards.
   *
   * @param lease the value of the lease
   * @param inForce the id of the checkpoint in force; empty if there is none
   * @throws {ScriptError} if a script did not do its work
   * @throws {RedisError} the error of Redis
   */
  async send(node: RedisNode, lease: string, inForce: string): Promise<void> {
    const chunks = this.#chunks;
    const deleted = this.#deleted;
    const commit = this.#commit;
    this.#chunks = [];
    this.#deleted = [];
    this.#commit = undefined;
    await Promise.all([
      ...chunks.map((chunk) => writeChunk(node, this.#keys, lease, ...chunk)),
      deleteChunks(node, this.#keys, lease, inForce, deleted),
    ]);
    if (!commit) return;
    const { previous, firstWritten, others } = this.end!;
    const { checkpoint, chunks: chunksKey } = this.#keys;
    await runScript(
      node,
      COMMIT_CHECKPOINT,
      [this.#keys.lease, checkpoint, chunksKey],
      [
        ...[lease, previous, `${firstWritten}`, `${commit.last}`],
        ...[`${others.length}`, ...others, ...encodeRecord(commit.record)],
      ],
    );
  }
}

/** Returns what writes checkpoints to a target. @param position of the last one */
export function checkpointerOf(
  target: RedisCheckpointTarget,
  position: string,
): Checkpointer<string> {
  return new Checkpointer(target, position, () => target.mayCommit);
}

/** Writes a chunk under a name. */
export function writeChunk(
  node: RedisNode,
  { lease: leaseKey, chunks, isCopy }: CheckpointKeys,
  lease: string,
  name: string,
  value: Uint8Array,
): Promise<void> {
  return runScript(
    node,
    isCopy ? COPY_CHUNK : WRITE_CHUNK,
    [leaseKey, chunks],
    [lease, name, value],
  );
}

/**
 * Deletes chunks.
 *
 * @param inForce the id of the checkpoint in force, which does not need them;
 * empty if there is none
 */
export async function deleteChunks(
  node: RedisNode,
  { lease: leaseKey, checkpoint, chunks }: CheckpointKeys,
  lease: string,
  inForce: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await runScript(
    node,
    DELETE_CHUNKS,
    [leaseKey, checkpoint, chunks],
    [lease, inForce, ...names],
  );
}

async function runScript(
  node: RedisNode,
  script: string,
  keys: readonly string[],
  args: readonly (string | Uint8Array)[],
): Promise<void> {
  const reply = await node.send(
    ["EVAL", script, `${keys.length}`, ...keys, ...args],
    TIMEOUT_MS,
  );
  if (reply !== ScriptResult.done) throw new ScriptError(Number(reply));
}
