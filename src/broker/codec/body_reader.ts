/**
 * Reads the fields of a packet's body, and never beyond its end.
 *
 * @module
 */
import { MalformedPacket, protocolError } from "./malformed.ts";
import { ReasonCode } from "./reason_codes.ts";
import { hasWildcard } from "./topic_names.ts";
import { decodeUtf8, scanUtf8, TextKind } from "./utf8.ts";

/**
 * The largest number of topic filters and user properties of a packet together:
 * each takes five bytes or less, but becomes an object.
 */
export const MAX_PACKET_ITEMS = 4096;

const NONE = new Uint8Array(0);

/**
 * A position in the body of a packet. Each method throws a
 * {@linkcode MalformedPacket} if the body ends too early.
 */
export class BodyReader {
  /** The input. */
  bytes: Uint8Array = NONE;
  /** The offset of the next byte. */
  at = 0;
  /** The offset after the last byte. */
  end = 0;
  #items = 0;

  /** Moves to bytes `at` to `end` (exclusive). */
  reset(bytes: Uint8Array, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.#items = 0;
  }

  /** The number of bytes left. */
  get left(): number {
    return this.end - this.at;
  }

  /** Skips bytes. Returns the offset of the first. */
  skip(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw truncated();
    this.at = from + length;
    return from;
  }

  /** Reads a byte. */
  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  /** Reads a Two Byte Integer (MQTT 5, 1.5.2). */
  uint16(): number {
    const from = this.skip(2);
    return this.bytes[from]! << 8 | this.bytes[from + 1]!;
  }

  /** Reads a Four Byte Integer (MQTT 5, 1.5.3). */
  uint32(): number {
    const high = this.uint16();
    return high * 0x1_0000 + this.uint16();
  }

  /** Reads a Variable Byte Integer, 0 to 268,435,455 (MQTT 5, 1.5.5). */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const next = this.byte();
      value |= (next & 0x7f) << shift;
      if (next < 0x80) {
        // The shortest form is required (MQTT 5, 1.5.5-1).
        if (next === 0 && shift > 0) break;
        return value;
      }
    }
    throw new MalformedPacket("a variable byte integer is malformed");
  }

  /** Reads a Packet Identifier, which must not be 0 (MQTT 5, 2.2.1-3). */
  packetId(): number {
    const packetId = this.uint16();
    if (packetId === 0) throw protocolError("a packet identifier is 0");
    return packetId;
  }

  /** Reads Binary Data (MQTT 5, 1.5.6). Returns a copy. */
  binary(): Uint8Array {
    const length = this.uint16();
    const from = this.skip(length);
    return new Uint8Array(this.bytes.subarray(from, from + length));
  }

  /** Reads a UTF-8 Encoded String (MQTT 5, 1.5.4). */
  string(): string {
    return this.textBefore(this.skipString());
  }

  /** Checks and skips a string. Returns its length in bytes. */
  skipString(): number {
    const length = this.uint16();
    const from = this.skip(length);
    if (scanUtf8(this.bytes, from, this.at) === TextKind.Invalid) {
      throw new MalformedPacket("a string is not valid UTF-8, or contains NUL");
    }
    return length;
  }

  /**
   * Reads a client id, user name or topic filter: a string without control
   * characters, which a receiver may refuse (MQTT 5, 1.5.4).
   */
  name(): string {
    return this.textBefore(this.skipName());
  }

  /** Checks and skips a name. Returns its length in bytes. */
  skipName(): number {
    const length = this.uint16();
    const from = this.skip(length);
    const kind = scanUtf8(this.bytes, from, this.at);
    if (kind === TextKind.Plain) return length;
    throw new MalformedPacket(
      kind === TextKind.Invalid
        ? "a name is not valid UTF-8, or contains NUL"
        : "a name contains control characters",
    );
  }

  /**
   * Reads a topic name: as {@linkcode name}, without wildcards (MQTT 5,
   * 3.3.2-2). May be empty.
   */
  topicName(): string {
    return this.textBefore(this.skipTopicName());
  }

  /** Checks and skips a topic name. Returns its length in bytes. */
  skipTopicName(): number {
    const length = this.skipName();
    if (hasWildcard(this.bytes, this.at - length, this.at)) {
      throw new MalformedPacket("a topic name contains a wildcard");
    }
    return length;
  }

  /** Decodes the last bytes that were skipped, which are a valid string. */
  textBefore(length: number): string {
    return decodeUtf8(this.bytes, this.at - length, this.at);
  }

  /** Counts a topic filter or user property. Throws if there are too many. */
  countItem(): void {
    if (++this.#items > MAX_PACKET_ITEMS) {
      throw new MalformedPacket(
        "a packet has too many filters or user properties",
        ReasonCode.PacketTooLarge,
      );
    }
  }

  /** Throws if bytes are left (MQTT 5, 2.1.4). */
  expectEnd(): void {
    if (this.at !== this.end) {
      throw new MalformedPacket("a packet is longer than its fields");
    }
  }
}

function truncated(): MalformedPacket {
  return new MalformedPacket("a packet ends inside a field");
}
