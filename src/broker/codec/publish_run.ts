/**
 * The fast path for PUBLISH packets that differ from the one before only in
 * packet identifier and payload.
 *
 * Nothing is decoded: their topic and properties are the same bytes, which are
 * valid.
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { PacketType } from "./packets.ts";
import { MAX_VARINT_BYTES, varintBytes } from "./varint.ts";

/** Topics and properties that are longer, in bytes, make no pattern. */
const MAX_PATTERN_BYTES = 1024;
const WORD_BYTES = 4;
const PUBLISH_HEADER = PacketType.Publish << 4;
const QOS_FLAGS = 0b0110;

/** Packet identifiers and payloads of consecutive PUBLISH packets. */
export class PublishRun {
  /** Packet identifiers, 1 to 65,535; not set at QoS 0. */
  readonly packetIds: Uint16Array;
  /** Offset of each payload in the input. */
  readonly payloadStarts: Uint32Array;
  /** Offset after each payload in the input. */
  readonly payloadEnds: Uint32Array;
  /** Number of packets. */
  count = 0;
  /** The offset in the input after the last packet. */
  end = 0;

  /** @param capacity the largest number of packets */
  constructor(capacity: number) {
    this.packetIds = new Uint16Array(capacity);
    this.payloadStarts = new Uint32Array(capacity);
    this.payloadEnds = new Uint32Array(capacity);
  }
}

/** Offsets of the parts of a PUBLISH in the input. */
export interface PublishOffsets {
  readonly bodyStart: number;
  readonly topicEnd: number;
  readonly propertiesStart: number;
  readonly propertiesEnd: number;
}

/** The bytes that a PUBLISH shares with the next, of one connection. */
export class PublishPattern {
  /** The decoded topic. */
  #topic = "";
  /** The first byte: type and flags; 0 for no pattern. */
  #header = 0;
  /** Length and bytes of the topic, then length and bytes of the properties. */
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #topicBytes = 0;
  #propertiesBytes = 0;

  /**
   * If the next field is the topic of the last PUBLISH, skips it and returns it
   * decoded.
   */
  topicAt(reader: BodyReader): string | undefined {
    const { bytes, at } = reader;
    const length = this.#topicBytes;
    if (length === 0 || length > reader.left) return undefined;
    for (let i = 0; i < length; i++) {
      if (bytes[at + i] !== this.#bytes[i]) return undefined;
    }
    reader.at = at + length;
    return this.#topic;
  }

  /** Remembers a PUBLISH. Keeps no reference to the input. */
  set(
    { bytes }: BodyReader,
    flags: number,
    topic: string,
    offsets: PublishOffsets,
  ): void {
    const { bodyStart, topicEnd, propertiesStart, propertiesEnd } = offsets;
    this.#topicBytes = topicEnd - bodyStart;
    this.#propertiesBytes = propertiesEnd - propertiesStart;
    const length = this.#topicBytes + this.#propertiesBytes;
    if (length > MAX_PATTERN_BYTES) {
      this.#header = 0;
      this.#topicBytes = 0;
      return;
    }
    if (length > this.#bytes.length) {
      this.#bytes = new Uint8Array(length);
      this.#view = new DataView(this.#bytes.buffer);
    }
    for (let i = 0; i < this.#topicBytes; i++) {
      this.#bytes[i] = bytes[bodyStart + i]!;
    }
    for (let i = 0; i < this.#propertiesBytes; i++) {
      this.#bytes[this.#topicBytes + i] = bytes[propertiesStart + i]!;
    }
    this.#topic = topic;
    this.#header = PUBLISH_HEADER | flags;
  }

  /**
   * Finds the packets at an offset that have the same topic, properties and
   * flags as the last PUBLISH. Stops before the first other packet, and before
   * one that is incomplete, malformed or too large: `PacketDecoder.next`
   * decodes it. Allocates nothing for a packet.
   *
   * @param run receives the packets
   * @param bytes the input
   * @param from the offset of the first byte of a packet
   * @param to the offset after the last byte that has arrived
   * @param maxPacketBytes the largest packet, fixed header included
   * @returns the number of packets
   */
  read(
    run: PublishRun,
    bytes: Uint8Array,
    from: number,
    to: number,
    maxPacketBytes: number,
  ): number {
    const header = this.#header;
    run.count = 0;
    run.end = from;
    if (header === 0 || bytes[from] !== header) return 0;
    if (this.#isOtherTopic(bytes, from, to)) return 0;
    const { packetIds, payloadStarts, payloadEnds } = run;
    const input = new DataView(bytes.buffer, bytes.byteOffset, to);
    const pattern = this.#view;
    const topicBytes = this.#topicBytes;
    const propertiesBytes = this.#propertiesBytes;
    const idBytes = (header & QOS_FLAGS) === 0 ? 0 : 2;
    const minLength = topicBytes + idBytes + propertiesBytes;
    const capacity = packetIds.length;
    let count = 0;
    let at = from;
    while (count < capacity && at + 2 <= to && bytes[at] === header) {
      let length = bytes[at + 1]!;
      let body = at + 2;
      if (length >= 0x80) {
        length = longLength(bytes, at + 1, to);
        body = at + 1 + varintBytes(length);
      }
      const end = body + length;
      if (length < minLength || end > to || end - at > maxPacketBytes) break;
      if (!isEqual(input, body, pattern, 0, topicBytes)) break;
      let payload = body + topicBytes;
      if (idBytes > 0) {
        const packetId = input.getUint16(payload);
        if (packetId === 0) break;
        packetIds[count] = packetId;
        payload += 2;
      }
      if (propertiesBytes > 0) {
        if (!isEqual(input, payload, pattern, topicBytes, propertiesBytes)) {
          break;
        }
        payload += propertiesBytes;
      }
      payloadStarts[count] = payload;
      payloadEnds[count++] = end;
      at = end;
    }
    run.count = count;
    run.end = at;
    return count;
  }

  /**
   * Returns true if a packet certainly has another topic. Topics that take turns
   * usually differ in their last byte.
   */
  #isOtherTopic(bytes: Uint8Array, from: number, to: number): boolean {
    const lastByte = from + 1 + this.#topicBytes;
    return bytes[from + 1]! < 0x80 && lastByte < to &&
      bytes[lastByte] !== this.#bytes[this.#topicBytes - 1];
  }
}

/**
 * Reads a remaining length of two to four bytes.
 *
 * @returns -1 if it is incomplete or malformed
 */
function longLength(bytes: Uint8Array, from: number, to: number): number {
  let length = 0;
  for (let i = 0; i < MAX_VARINT_BYTES && from + i < to; i++) {
    const next = bytes[from + i]!;
    length |= (next & 0x7f) << 7 * i;
    if (next < 0x80) return next === 0 ? -1 : length;
  }
  return -1;
}

/** Compares bytes of two views, most of them four at a time. */
function isEqual(
  a: DataView,
  fromA: number,
  b: DataView,
  fromB: number,
  length: number,
): boolean {
  let i = 0;
  for (; i + WORD_BYTES <= length; i += WORD_BYTES) {
    if (a.getUint32(fromA + i) !== b.getUint32(fromB + i)) return false;
  }
  for (; i < length; i++) {
    if (a.getUint8(fromA + i) !== b.getUint8(fromB + i)) return false;
  }
  return true;
}
