/**
 * The slot of a key in Redis Cluster.
 *
 * @module
 */

/** The number of slots. */
export const SLOTS = 16_384;

const encoder = new TextEncoder();

/**
 * Returns the slot of a key: CRC16 modulo 16,384 of the text between the first
 * `{` and the next `}`, or of the whole key if there is none or nothing between
 * (Redis Cluster Specification, "Key distribution model" and "Hash tags").
 *
 * @param key the key
 * @returns 0 to 16,383
 */
export function keySlot(key: string): number {
  const start = key.indexOf("{");
  const end = start < 0 ? -1 : key.indexOf("}", start + 1);
  const hashed = end > start + 1 ? key.slice(start + 1, end) : key;
  return crc16(encoder.encode(hashed)) % SLOTS;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
  }
  return crc;
}
