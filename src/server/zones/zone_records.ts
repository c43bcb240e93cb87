/**
 * The records of zones in a store: their definitions, and what is remembered of
 * each zone.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import { type Records, StoreError } from "../../store/store.ts";
import type { ZoneEvent, ZoneRecord } from "../../zones/mod.ts";

/** Which definitions are in force. */
export interface Head {
  readonly kind: "head";
  /** Random: distinguishes the definitions of different stores. */
  readonly store: string;
  /** Definitions of other generations are not in force. */
  readonly generation: number;
  /** The number of edits so far. */
  readonly edits: number;
}

/** The definition of a zone. */
export interface Definition {
  readonly kind: "zone";
  readonly generation: number;
  /** A feature of GeoJSON. */
  readonly feature: unknown;
}

/** What is remembered of a zone between two states, and after a restart. */
export interface Memory {
  readonly kind: "memory";
  readonly record: ZoneRecord;
  /** Events that may not be published yet, the oldest first. */
  readonly events: readonly ZoneEvent[];
}

/** Of a shared store: where the leader has its definitions from. */
export interface DefinitionSource {
  readonly kind: "source";
  /** A hash of the zones of a file; null: they are those of the store. */
  readonly hash: string | null;
}

/** Returns a definition as JSON. */
export function definitionOf(generation: number, feature: string): string {
  return `{"kind":"zone","generation":${generation},"feature":${feature}}`;
}

/** Encodes any other record. */
export function encodeRecord(
  record: Head | Memory | DefinitionSource,
): Uint8Array<ArrayBuffer> {
  return encodeText(JSON.stringify(record));
}

/** Records of `zones`. */
const DEFINITION_KINDS: readonly unknown[] = ["head", "zone", "memory"];
/** Records of `zone-memories`. */
const MEMORY_KINDS: readonly unknown[] = ["memory", "source"];

/**
 * Decodes a record of the owner `zones`.
 *
 * @throws {StoreError} if it is not one
 */
export function decodeDefinition(
  bytes: Uint8Array,
): Head | Definition | Memory {
  return decode(bytes, DEFINITION_KINDS) as Head | Definition | Memory;
}

/**
 * Decodes a record of the owner `zone-memories`.
 *
 * @throws {StoreError} if it is not one
 */
export function decodeMemory(bytes: Uint8Array): Memory | DefinitionSource {
  return decode(bytes, MEMORY_KINDS) as Memory | DefinitionSource;
}

/** Returns true for a memory, without reading all of its JSON. */
export function isMemory(bytes: Uint8Array): boolean {
  return startsWith(bytes, MEMORY_START);
}

/** Returns where the leader has its zones from; undefined if that is unknown. */
export function readSource(
  records: Records | undefined,
): DefinitionSource | undefined {
  for (const [, bytes] of records?.load("zone-memories") ?? []) {
    if (startsWith(bytes, SOURCE_START)) {
      return decodeMemory(bytes) as DefinitionSource;
    }
  }
  return undefined;
}

/** The first bytes of records. */
const MEMORY_START = encodeText('{"kind":"memory"');
const SOURCE_START = encodeText('{"kind":"source"');

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function decode(bytes: Uint8Array, kinds: readonly unknown[]): unknown {
  try {
    const record = parseJson(bytes);
    if (isJsonObject(record) && kinds.includes(record.kind)) return record;
    throw new RangeError("a record of the zones has an unknown kind");
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Returns the error for records that cannot be used. */
export function unreadable(cause: unknown): StoreError {
  return new StoreError(
    `Cannot read the stored zones: ${messageOf(cause)}`,
    {
      hint:
        "Use the version of occupancy that wrote them, or another file with --store.",
      cause,
    },
  );
}
