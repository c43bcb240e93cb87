/**
 * PUBLISH packets of a load, encoded before the measurement starts. mqtt-packet
 * takes eight times as long (1.7 instead of 0.2 µs per message), which delays a
 * case with a million messages by seconds.
 *
 * @module
 */
import { randomIntegers } from "../../tests/support/random.ts";

/** The order of the coordinates in a load. */
export type Order = "sweep" | "patches" | "random" | "scattered";

/** The messages of a load. */
export interface LoadShape {
  /** The version of MQTT: 4 is 3.1.1. Default 4. */
  readonly version?: 4 | 5;
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly messages: number;
  readonly readingsPerMessage: number;
  /** Number of cells. */
  readonly cells: number;
  /**
   * `sweep`: row by row over a square, repeatedly. `patches`: each message is a
   * run of neighbouring cells somewhere in that square. `random`: each reading
   * is a random cell of that square. `scattered`: each reading is a random cell
   * within 65,536 × 65,536.
   */
  readonly order: Order;
}

/** Encoded packets. */
export interface Packets {
  /** The packets, concatenated. */
  readonly bytes: Uint8Array;
  /** Offset of each packet, and the end of the last one. */
  readonly starts: Float64Array;
}

const encoder = new TextEncoder();
const COMMA = 0x2c;
const LF = 0x0a;
/** Longest line: `x,y,value` in a square of 10^10 cells, and a line feed. */
const LINE_BYTES = 20;
/**
 * Fixed header of at most 5, topic length 2, packet identifier 2, length of the
 * properties 1.
 */
const HEAD_BYTES = 10;
/** Packet identifiers are 1 to 65,535 (2.3.1). Requests use the last one. */
export const REQUEST_ID = 65_535;
/** Values are below this. A cell changes at every visit. */
const MAX_VALUE = 1000;
/** Side of the square of `scattered`. */
const SCATTERED_SIDE = 65_536;

/** Computes the readings of a load, one at a time. */
export class Readings {
  readonly #shape: LoadShape;
  readonly #side: number;
  readonly #random = randomIntegers(0x9e3779b9);
  x = 0;
  y = 0;
  value = 0;

  constructor(shape: LoadShape) {
    this.#shape = shape;
    this.#side = Math.ceil(Math.sqrt(shape.cells));
  }

  /** Side of the square, in cells. */
  get side(): number {
    return this.#side;
  }

  /** Computes the n-th reading. Call it with 0, 1, 2 and so on, in order. */
  seek(n: number): void {
    const { order, cells, readingsPerMessage } = this.#shape;
    const inMessage = n % readingsPerMessage;
    if (order === "scattered") {
      this.x = this.#random(SCATTERED_SIDE);
      this.y = this.#random(SCATTERED_SIDE);
      this.value = n % MAX_VALUE;
      return;
    }
    if (order === "random") {
      this.#place(this.#random(cells));
      this.value = n % MAX_VALUE;
      return;
    }
    if (order === "sweep") {
      this.#place(n % cells);
      this.value = Math.floor(n / cells) % MAX_VALUE;
      return;
    }
    const first = inMessage === 0 ? this.#random(cells) : this.#first;
    this.#first = first;
    this.#place((first + inMessage) % cells);
    this.value = Math.floor(n / readingsPerMessage) % MAX_VALUE;
  }

  #first = 0;

  #place(cell: number): void {
    this.x = cell % this.#side;
    this.y = Math.floor(cell / this.#side);
  }
}

/** Encodes the packets of a load. */
export function encodeLoad(shape: LoadShape): Packets {
  const { messages, readingsPerMessage, qos, version = 4 } = shape;
  const topic = encoder.encode(shape.topic);
  const payload = new Uint8Array(readingsPerMessage * LINE_BYTES);
  const starts = new Float64Array(messages + 1);
  const readings = new Readings(shape);
  let bytes = new Uint8Array(1 << 20);
  let at = 0;
  for (let i = 0, n = 0; i < messages; i++) {
    starts[i] = at;
    let length = 0;
    for (let j = 0; j < readingsPerMessage; j++) {
      readings.seek(n++);
      length = writeNumber(payload, length, readings.x, COMMA);
      length = writeNumber(payload, length, readings.y, COMMA);
      length = writeNumber(payload, length, readings.value, LF);
    }
    const needed = at + HEAD_BYTES + topic.length + length;
    if (needed > bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * bytes.length));
      larger.set(bytes);
      bytes = larger;
    }
    const id = qos === 0 ? undefined : i % (REQUEST_ID - 1) + 1;
    at = writePublishHead(bytes, at, topic, version, length, id);
    bytes.set(payload.subarray(0, length), at);
    at += length;
  }
  starts[messages] = at;
  return { bytes: bytes.subarray(0, at), starts };
}

function writePublishHead(
  bytes: Uint8Array,
  at: number,
  topic: Uint8Array,
  version: 4 | 5,
  payloadLength: number,
  id: number | undefined,
): number {
  bytes[at++] = id === undefined ? 0x30 : 0x32;
  let length = 2 + topic.length + (id === undefined ? 0 : 2) +
    (version === 5 ? 1 : 0) + payloadLength;
  do {
    const digit = length % 128;
    length = Math.floor(length / 128);
    bytes[at++] = length > 0 ? digit | 128 : digit;
  } while (length > 0);
  bytes[at++] = topic.length >> 8;
  bytes[at++] = topic.length & 255;
  bytes.set(topic, at);
  at += topic.length;
  if (id !== undefined) {
    bytes[at++] = id >> 8;
    bytes[at++] = id & 255;
  }
  if (version === 5) bytes[at++] = 0; // no properties
  return at;
}

/**
 * Writes a number and a separator.
 *
 * @param number 0 or more
 * @param end the separator, a byte
 * @returns the offset after it
 */
function writeNumber(
  bytes: Uint8Array,
  at: number,
  number: number,
  end: number,
): number {
  let digits = 1;
  for (let n = number; n >= 10; n = Math.floor(n / 10)) digits++;
  for (let i = at + digits - 1, n = number; i >= at; i--) {
    bytes[i] = 0x30 + n % 10;
    n = Math.floor(n / 10);
  }
  bytes[at + digits] = end;
  return at + digits + 1;
}
