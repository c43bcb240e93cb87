/**
 * Hashes a coordinate, for the hash tables of this folder.
 *
 * @module
 */

/**
 * Mixes two coordinates into 32 bits, so that the lowest bits of neighbouring
 * coordinates differ: the finalizer of MurmurHash3 (Appleby, 2011).
 *
 * @param x int32
 * @param y int32
 * @returns int32; all bits are equally well mixed
 */
export function hashCoordinate(x: number, y: number): number {
  let mixed = Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca77) ^ y >>> 16;
  mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b);
  mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
  return mixed ^ mixed >>> 16;
}
