/**
 * The hash that says which checkpoint of a shard is in force:
 *
 * | field | value |
 * |---|---|
 * | `id` | identifies the checkpoint: `FENCE-UUID`, with the fence of the lease |
 * | `position` | the id of the last entry of the journal that it includes |
 * | `meta` | JSON: {@linkcode CheckpointMeta} |
 * | `crc` | CRC-32 of the three, with a line feed after each, decimal |
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { StoredMeta } from "../checkpoint_meta.ts";
import { list, text } from "./stream_entry.ts";
import type { Reply } from "./deployment.ts";

/** What a checkpoint has besides tiles. */
export interface CheckpointMeta {
  /** Of the shard: revision, thresholds, size; as in the file of SQLite. */
  readonly map: StoredMeta;
  /** Chunks with a lower id are of earlier checkpoints only. */
  readonly firstChunk: number;
  /** Bytes of the content of all entries that were in the journal until then. */
  readonly journalBytes: number;
  /** The highest `now` of the entries, ms since 1970. */
  readonly now: number;
  /** Who wrote the last entries: run, sequence number, time. */
  readonly writers: readonly (readonly [string, number, number])[];
  /** The names of the parts of the records. */
  readonly records: readonly string[];
}

/** A checkpoint that is in force. */
export interface CheckpointRecord {
  readonly id: string;
  readonly position: string;
  readonly meta: CheckpointMeta;
}

/** Returns the fields of the hash and their values, alternating. */
export function encodeRecord({ id, position, meta }: CheckpointRecord) {
  const json = JSON.stringify(meta);
  const crc = `${sumOf(id, position, json)}`;
  return ["id", id, "position", position, "meta", json, "crc", crc];
}

/** The fields of the hash, for {@linkcode decodeRecord}. */
export const RECORD_FIELDS = ["id", "position", "meta", "crc"] as const;

/**
 * Parses the values of {@linkcode RECORD_FIELDS}.
 *
 * @returns undefined if there is no checkpoint
 * @throws {RangeError} if they are not what was written
 */
export function decodeRecord(reply: Reply): CheckpointRecord | undefined {
  const values = list(reply);
  if (values.every((value) => value === null)) return undefined;
  const [id, position, json, crc] = values.map((value) =>
    value === null ? "" : text(value)
  ) as [string, string, string, string];
  if (`${sumOf(id, position, json)}` !== crc) {
    throw new RangeError("the checkpoint has a wrong checksum");
  }
  return { id, position, meta: JSON.parse(json) };
}

/** Starts the names of the parts of the records in a checkpoint. */
export function recordPrefix(id: string): string {
  return `records:${id}:`;
}

function sumOf(...parts: string[]): number {
  return crc32(parts.map((part) => `${part}\n`).join(""));
}
