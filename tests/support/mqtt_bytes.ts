/**
 * MQTT packets as bytes, also those that no encoder produces.
 *
 * @module
 */

/** A protocol version: 4 is MQTT 3.1.1. */
export type Version = 4 | 5;

/** A part of a packet: a byte, bytes, or a string with its length. */
export type Part = number | string | Uint8Array;

const encoder = new TextEncoder();

/** Returns bytes from hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits.replaceAll(" ", ""));
}

/** Joins parts. */
export function join(...parts: readonly Part[]): Uint8Array {
  const bytes = parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    return [...(typeof part === "string" ? text(part) : part)];
  });
  return Uint8Array.from(bytes);
}

/** Returns a packet with its remaining length. */
export function packet(first: number, ...parts: readonly Part[]): Uint8Array {
  const body = join(...parts);
  return join(first, varint(body.length), body);
}

/** Returns a Two Byte Integer. */
export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

/** Returns a Four Byte Integer. */
export function uint32(value: number): Uint8Array {
  return join(uint16(value >>> 16), uint16(value));
}

/** Returns a Variable Byte Integer, 0 to 268,435,455. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  return Uint8Array.of(...bytes, value);
}

/** Returns Binary Data: a length, then the bytes. */
export function binary(bytes: Uint8Array): Uint8Array {
  return join(uint16(bytes.length), bytes);
}

/** Returns a UTF-8 Encoded String. */
export function text(value: string): Uint8Array {
  return binary(encoder.encode(value));
}

/** Returns properties with their length; nothing in MQTT 3.1.1. */
export function properties(
  version: Version,
  ...parts: readonly Part[]
): Uint8Array {
  const list = join(...parts);
  return version === 5 ? join(varint(list.length), list) : list.subarray(0, 0);
}

/** The parts of a CONNECT that a test changes. */
export interface ConnectParts {
  /** Default `MQTT`. */
  readonly name?: Part;
  /** The protocol level. Default: the version. */
  readonly level?: number;
  /** Default: clean. */
  readonly flags?: number;
  /** The properties. Default none. */
  readonly properties?: readonly Part[];
  /** What follows the properties. Default: the client id `c`. */
  readonly payload?: readonly Part[];
}

/** Returns a CONNECT with a keep-alive of 60 s. */
export function connect(
  version: Version,
  { name = "MQTT", level = version, flags = 2, payload = ["c"], ...parts }:
    ConnectParts = {},
): Uint8Array {
  const list = properties(version, ...parts.properties ?? []);
  return packet(
    ...[0x10, name, level, flags, uint16(60), list, ...payload] as const,
  );
}
