/**
 * An entry of a journal in Redis: its fields, its id.
 *
 * | field | value |
 * |---|---|
 * | `w` | `RUN:SEQUENCE`: who wrote it, see {@linkcode StreamEntry} |
 * | `k` | the id up to which the writer knows all entries to be safe, or `*` |
 * | `c` | CRC-32 of `d`, decimal; missing if there is no `d` |
 * | `d` | the bytes of an `EntryEncoder`; missing in a marker |
 * | `s` | the CRC-32 of what follows, a space, the result of `joinSources()`; |
 * | | missing if no reading names a source, and in entries of earlier versions |
 *
 * Other fields are ignored: a later version may add some.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { Reply } from "./deployment.ts";

/** The id before all others (Redis Streams, "Entry IDs"). */
export const FIRST_ID = "0-0";
/** The `k` of an entry that is safe as soon as Redis has it. */
export const SAFE_ON_ARRIVAL = "*";

const WRITER = /^([\w-]{1,64}):(\d{1,15})$/;
const ID = /^\d{1,16}-\d{1,20}$/;

const decoder = new TextDecoder();

/** The content of an entry that is written. */
export interface EntryContent {
  /** The bytes of an `EntryEncoder`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Their CRC-32. */
  readonly crc: number;
  /** The sources of the readings; undefined if none are named. */
  readonly sources?: Uint8Array<ArrayBuffer> | undefined;
}

/** An entry as it was read. */
export interface StreamEntry {
  readonly id: string;
  /** Identifies the run of the server that wrote it; empty if damaged. */
  readonly run: string;
  /**
   * The number of the entry among those of the run in this journal, from 1. An
   * entry that is written again because the answer of Redis was lost has the
   * same one. 0 for a marker that may be lost.
   */
  readonly sequence: number;
  /** The id up to which all is safe; undefined if the writer knew none. */
  readonly safe: string | undefined;
  /** Undefined for a marker, and if it is damaged. */
  readonly content: Uint8Array | undefined;
  /** The sources of the readings, as {@linkcode sealSources} returned them. */
  readonly sources: Uint8Array | undefined;
  /** Bytes of content and sources. */
  readonly bytes: number;
  /** Why it cannot be used; undefined if it can. */
  readonly damage: string | undefined;
}

/** Returns the fields of an entry, for `XADD`. */
export function entryFields(
  run: string,
  sequence: number,
  safe: string | undefined,
  content?: EntryContent,
): (string | Uint8Array)[] {
  const fields: (string | Uint8Array)[] = ["w", `${run}:${sequence}`];
  if (safe !== undefined) fields.push("k", safe);
  if (content !== undefined) {
    fields.push("c", `${content.crc}`, "d", content.bytes);
    if (content.sources !== undefined) fields.push("s", content.sources);
  }
  return fields;
}

/**
 * Parses the reply of `XREAD` for one stream.
 *
 * @returns the entries, in order; none if it is null
 * @throws {RangeError} if it has another form
 */
export function parseRead(reply: Reply): StreamEntry[] {
  if (reply === null) return [];
  const [stream, flat] = list(reply);
  // RESP3 has a map, RESP2 a list of pairs.
  const entries = Array.isArray(stream) ? stream[1] : flat;
  return list(entries).map(parseEntry);
}

/** Returns sources for an entry. @param json as `joinSources()` returns it */
export function sealSources(json: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${crc32(json)} ${json}`);
}

/**
 * Returns the JSON of sealed sources.
 *
 * @throws {RangeError} if they are damaged
 */
export function openSources(sealed: Uint8Array): string {
  const all = decoder.decode(sealed);
  const space = all.indexOf(" ");
  const json = all.slice(space + 1);
  if (`${crc32(json)}` === all.slice(0, space)) return json;
  throw new RangeError("the checksum of its sources is wrong");
}

/** Parses an entry: its id, and a list of fields and values. */
export function parseEntry(reply: Reply | undefined): StreamEntry {
  const [idReply, fieldsReply] = list(reply);
  const id = text(idReply);
  if (!ID.test(id)) throw new RangeError(`Not the id of an entry: ${id}`);
  let writer = "";
  let safe: string | undefined;
  let crc: string | undefined;
  let content: Uint8Array | undefined;
  let sources: Uint8Array | undefined;
  const fields = list(fieldsReply);
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const value = fields[i + 1];
    switch (text(fields[i])) {
      case "w":
        writer = text(value);
        break;
      case "k":
        safe = text(value);
        break;
      case "c":
        crc = text(value);
        break;
      case "d":
        content = bytesOf(value);
        break;
      case "s":
        sources = bytesOf(value);
    }
  }
  const match = WRITER.exec(writer);
  const damage = match === null
    ? "its writer is unknown"
    : content === undefined
    ? (crc === undefined ? undefined : "its content is missing")
    : `${crc32(content)}` === crc
    ? undefined
    : "its checksum is wrong";
  return {
    id,
    run: match?.[1] ?? "",
    sequence: Number(match?.[2] ?? 0),
    // A damaged entry proves nothing.
    safe: damage === undefined && safe !== undefined &&
        (safe === SAFE_ON_ARRIVAL || ID.test(safe))
      ? safe
      : undefined,
    content: damage === undefined ? content : undefined,
    sources: damage === undefined ? sources : undefined,
    bytes: damage === undefined
      ? (content?.length ?? 0) + (sources?.length ?? 0)
      : 0,
    damage,
  };
}

/** Returns a negative number if `a` is before `b`, 0 if they are equal. */
export function compareIds(a: string, b: string): number {
  const dashA = a.indexOf("-");
  const dashB = b.indexOf("-");
  const difference = Number(a.slice(0, dashA)) - Number(b.slice(0, dashB));
  if (difference !== 0) return difference;
  // A sequence number has 64 bits; without leading zeros, a longer one is larger.
  const countA = a.slice(dashA + 1);
  const countB = b.slice(dashB + 1);
  if (countA.length !== countB.length) return countA.length - countB.length;
  return countA < countB ? -1 : countA > countB ? 1 : 0;
}

/** Returns the time in an id: the clock of Redis, ms since 1970. */
export function timeOfId(id: string): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** Returns a reply as a list. @throws {RangeError} if it is none */
export function list(reply: Reply | undefined): readonly Reply[] {
  if (Array.isArray(reply)) return reply;
  throw new RangeError("Redis answered with something else than a list");
}

function bytesOf(reply: Reply | undefined): Uint8Array {
  if (reply instanceof Uint8Array) return reply;
  return new TextEncoder().encode(text(reply));
}

/** Returns a reply as text. @throws {RangeError} if it is none */
export function text(reply: Reply | undefined): string {
  if (reply instanceof Uint8Array) return decoder.decode(reply);
  if (typeof reply === "string" || typeof reply === "number") return `${reply}`;
  throw new RangeError("Redis answered with something else than text");
}
