/**
 * Packets as bytes, for those that no encoder produces.
 *
 * @module
 */
import { Buffer } from "node:buffer";
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

/** Returns a packet with its remaining length. */
export function frame(first: number, ...parts: Part[]): Buffer {
  const body = join(...parts);
  return Buffer.concat([Buffer.of(first), varint(body.length), body]);
}

/** Joins parts. */
export function join(...parts: Part[]): Buffer {
  return Buffer.concat(parts.map((part) => {
    if (typeof part === "number") return Buffer.of(part);
    if (typeof part !== "string") return part;
    const bytes = Buffer.from(part);
    return Buffer.concat([u16(bytes.length), bytes]);
  }));
}

/** Returns bytes with their length before them, as strings have. */
export function binary(...bytes: number[]): Buffer {
  return Buffer.concat([u16(bytes.length), Buffer.from(bytes)]);
}

export function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}

export function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
}

/** Returns a variable byte integer. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((value % 128) | (value >= 128 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return Buffer.from(bytes);
}

/** Returns properties with their length; nothing in MQTT 3.1.1. */
export function properties(version: Version, ...parts: Part[]): Buffer {
  const bytes = join(...parts);
  return version === 5
    ? Buffer.concat([varint(bytes.length), bytes])
    : Buffer.alloc(0);
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
): Buffer {
  return frame(
    FIRST.connect,
    ...[protocol, level, flags, u16(60), list, ...payload],
  );
}
