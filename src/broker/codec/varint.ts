/**
 * Encodes a Variable Byte Integer (MQTT 5, 1.5.5): the Remaining Length, the
 * length of the properties, and subscription identifiers.
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";

/** The longest encoding. */
export const MAX_VARINT_BYTES = 4;

/**
 * Returns the number of bytes of an encoded value.
 *
 * @param value 0 to 268,435,455
 */
export function varintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

/**
 * Appends a value in its shortest form (MQTT 5, 1.5.5-1). The caller has
 * reserved the space.
 *
 * @param value 0 to 268,435,455
 */
export function writeVarint(out: ByteWriter, value: number): void {
  while (value >= 0x80) {
    out.bytes[out.at++] = value & 0x7f | 0x80;
    value >>>= 7;
  }
  out.bytes[out.at++] = value;
}
