/**
 * Encodes the properties that the broker sends (MQTT 5, 2.2.2).
 *
 * @module
 */
import { ByteWriter } from "../../common/byte_writer.ts";
import type { Properties, UserProperty } from "./packets.ts";
import { NO_BYTES } from "./properties.ts";
import { PROPERTIES, type PropertySpec, ValueType } from "./property_table.ts";
import { MAX_VARINT_BYTES, varintBytes, writeVarint } from "./varint.ts";

/** The longest string and the longest binary data (MQTT 5, 1.5.4, 1.5.6). */
const MAX_DATA_BYTES = 65_535;
/** The longest identifier and number. */
const MAX_NUMBER_BYTES = 5;

const encoder = new TextEncoder();
const EMPTY_LIST = new Uint8Array([0]);

/**
 * Encodes properties with their length before them.
 *
 * @returns the bytes; do not change them
 * @throws {RangeError} if a value is too long
 */
export function encodeProperties(
  properties: Properties | undefined,
): Uint8Array {
  const list = properties ? encodeList(properties) : NO_BYTES;
  if (list.length === 0) return EMPTY_LIST;
  const out = new ByteWriter(varintBytes(list.length) + list.length);
  writeVarint(out, list.length);
  out.raw(list);
  return out.take();
}

/** Encodes properties without their length, as in `PublishPacket`. */
export function encodeForwardedProperties(properties: Properties): Uint8Array {
  return encodeList(properties);
}

/** Appends a UTF-8 Encoded String (MQTT 5, 1.5.4). */
export function writeString(out: ByteWriter, text: string): void {
  writeBinary(out, encoder.encode(text));
}

/** Appends Binary Data (MQTT 5, 1.5.6). */
function writeBinary(out: ByteWriter, bytes: Uint8Array): void {
  if (bytes.length > MAX_DATA_BYTES) {
    throw new RangeError(`${bytes.length} bytes are too long for MQTT`);
  }
  out.reserve(2 + bytes.length);
  out.view.setUint16(out.at, bytes.length);
  out.at += 2;
  out.raw(bytes);
}

function encodeList(properties: Properties): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  for (const spec of PROPERTIES) {
    const value = properties[spec.key];
    if (value !== undefined) writeProperty(out, spec, value);
  }
  return out.take();
}

function writeProperty(
  out: ByteWriter,
  { id, type }: PropertySpec,
  value: NonNullable<Properties[keyof Properties]>,
): void {
  if (type === ValueType.Pair) {
    for (const [name, text] of value as readonly UserProperty[]) {
      writeId(out, id);
      writeString(out, name);
      writeString(out, text);
    }
    return;
  }
  if (type === ValueType.Varint) {
    for (const number of value as readonly number[]) {
      writeId(out, id);
      writeVarint(out, number);
    }
    return;
  }
  writeId(out, id);
  if (typeof value === "number") writeNumber(out, type, value);
  else if (typeof value === "string") writeString(out, value);
  else writeBinary(out, value as Uint8Array);
}

/** Appends an identifier: all are below 128. Reserves space for a number. */
function writeId(out: ByteWriter, id: number): void {
  out.reserve(1 + Math.max(MAX_NUMBER_BYTES, MAX_VARINT_BYTES));
  out.bytes[out.at++] = id;
}

function writeNumber(out: ByteWriter, type: ValueType, value: number): void {
  if (type === ValueType.Flag) {
    out.bytes[out.at++] = value;
  } else if (type === ValueType.Uint16) {
    out.view.setUint16(out.at, value);
    out.at += 2;
  } else {
    out.view.setUint32(out.at, value);
    out.at += 4;
  }
}
