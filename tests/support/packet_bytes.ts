/**
 * Packets as bytes, for those that no encoder produces.
 *
 * @module
 */
import { joinBytes } from "../../src/common/bytes.ts";
import type { Version } from "./packets.ts";

/** A part of a packet: a byte, bytes, or a string with its length. */
export type Part = number | string | Uint8Array;

const HEADER = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  unsubscribe: 0xa2,
  unsuback: 0xb0,
  pingreq: 0xc0,
  pingresp: 0xd0,
  disconnect: 0xe0,
  auth: 0xf0,
};
/** The first byte of each packet, with the flags it must have. */
export const FIRST: Readonly<Record<keyof typeof HEADER, number>> = HEADER;

const encoder = new TextEncoder();

/** Returns bytes from hexadecimal digits; spaces are ignored. */
export function hex(digits: string): Uint8Array {
  return Uint8Array.fromHex(digits.replaceAll(" ", ""));
}

/** Returns a packet with its remaining length. */
export function frame(first: number, ...parts: readonly Part[]): Uint8Array {
  const body = join(...parts);
  return join(first, varint(body.length), body);
}

/** Joins parts. */
export function join(...parts: readonly Part[]): Uint8Array {
  return joinBytes(parts.map((part) => {
    if (typeof part === "number") return Uint8Array.of(part);
    return typeof part === "string" ? binary(...encoder.encode(part)) : part;
  }));
}

/** Returns bytes with their length before them, as strings have. */
export function binary(...bytes: readonly number[]): Uint8Array {
  return joinBytes([u16(bytes.length), Uint8Array.from(bytes)]);
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

export function u32(value: number): Uint8Array {
  return joinBytes([u16(value >>> 16), u16(value)]);
}

/** Returns a variable byte integer, 0 to 268,435,455. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  return Uint8Array.of(...bytes, value);
}

/** Returns properties with their length; nothing in MQTT 3.1.1. */
export function properties(
  version: Version,
  ...parts: readonly Part[]
): Uint8Array {
  const list = join(...parts);
  return version === 5 ? join(varint(list.length), list) : new Uint8Array();
}

/** The parts of a CONNECT that a test changes. */
export interface ConnectParts {
  readonly protocol?: Part;
  /** Default: the version. */
  readonly level?: number;
  /** Default: clean. */
  readonly flags?: number;
  /** The properties with their length. Default: none. */
  readonly properties?: Uint8Array;
  /** What follows the properties. Default: the client id "raw". */
  readonly payload?: readonly Part[];
}

/** Returns a CONNECT. */
export function connectFrame(
  version: Version,
  {
    protocol = "MQTT",
    level = version,
    flags = 2,
    properties: list = properties(version),
    payload = ["raw"],
  }: ConnectParts = {},
): Uint8Array {
  return frame(
    FIRST.connect,
    ...[protocol, level, flags, u16(60), list, ...payload],
  );
}
