/**
 * Encodes a message for its subscribers: once for each version, then a copy
 * with other flags and another packet identifier for each of them.
 *
 * @module
 */
import { ByteWriter } from "../../common/byte_writer.ts";
import { PacketType, type Properties, type Version } from "./packets.ts";
import { NO_BYTES } from "./properties.ts";
import {
  encodeForwardedProperties,
  writeString,
} from "./properties_encoder.ts";
import { MAX_VARINT_BYTES, varintBytes, writeVarint } from "./varint.ts";

/** Larger packets are not kept encoded: the payload is there already. */
const MAX_TEMPLATE_BYTES = 16 * 1024;
const QOS_FLAGS = 0b0110;
const PUBLISH_HEADER = PacketType.Publish << 4;

/** A whole packet without additional properties. */
interface Template {
  readonly bytes: Uint8Array;
  /** The offset of the packet identifier. */
  readonly packetIdAt: number;
}

/** Messages of one topic follow each other: it is encoded once. */
let lastTopic = "";
let lastTopicBytes: Uint8Array = new Uint8Array(2);

/** Returns the length and the bytes of a topic name. */
function encodeTopic(topic: string): Uint8Array {
  if (topic !== lastTopic) {
    const out = new ByteWriter(2 + 3 * topic.length);
    writeString(out, topic);
    lastTopic = topic;
    lastTopicBytes = out.finish();
  }
  return lastTopicBytes;
}

/** Encodes PUBLISH packets of one message (MQTT 5, 3.3; MQTT 3.1.1, 3.3). */
export class PublishEncoder {
  /** Length and bytes. */
  readonly #topic: Uint8Array;
  readonly #properties: Uint8Array;
  readonly #payload: Uint8Array;
  #templates: (Template | undefined)[] | undefined;
  /** True after the first packet: it needs no template. */
  #isUsed = false;

  /**
   * Keeps references to the bytes.
   *
   * @param topic the topic name, at most 65,535 bytes
   * @param payload the application message
   * @param properties the encoded properties to forward, without their length,
   * as in `PublishPacket`
   */
  constructor(
    topic: string,
    payload: Uint8Array,
    properties: Uint8Array = NO_BYTES,
  ) {
    this.#topic = encodeTopic(topic);
    this.#properties = properties;
    this.#payload = payload;
  }

  /**
   * Returns the size of a packet in bytes, fixed header included, to compare it
   * with the client's Maximum Packet Size (MQTT 5, 3.1.2-24).
   *
   * @param version that of the receiver
   * @param flags see `publishFlags`
   * @param extra additional properties, see {@linkcode append}
   */
  size(
    version: Version,
    flags: number,
    extra = NO_BYTES as Uint8Array,
  ): number {
    const length = this.#headLength(version, flags, extra) +
      this.#payload.length;
    return 1 + varintBytes(length) + length;
  }

  /**
   * Appends a packet.
   *
   * @param version that of the receiver
   * @param flags see `publishFlags`
   * @param packetId 1 to 65,535; ignored at QoS 0
   * @param extra additional properties of this delivery, encoded by
   * {@linkcode encodeDeliveryProperties}; ignored with MQTT 3.1.1
   */
  append(
    out: ByteWriter,
    version: Version,
    flags: number,
    packetId: number,
    extra: Uint8Array = NO_BYTES,
  ): void {
    const isExtended = version === 5 && extra.length > 0;
    const template = isExtended || !this.#isUsed
      ? undefined
      : this.#template(version, flags);
    this.#isUsed = true;
    if (template === undefined) {
      this.appendHead(out, version, flags, packetId, extra);
      out.raw(this.#payload);
      return;
    }
    const { at } = out;
    out.raw(template.bytes);
    out.bytes[at] = PUBLISH_HEADER | flags;
    if ((flags & QOS_FLAGS) !== 0) {
      out.view.setUint16(at + template.packetIdAt, packetId);
    }
  }

  /**
   * Appends a packet without its payload, for payloads that are too large to
   * copy: the caller sends the payload after it. Parameters as of
   * {@linkcode append}.
   */
  appendHead(
    out: ByteWriter,
    version: Version,
    flags: number,
    packetId: number,
    extra: Uint8Array = NO_BYTES,
  ): void {
    const headLength = this.#headLength(version, flags, extra);
    out.reserve(1 + MAX_VARINT_BYTES + headLength);
    out.bytes[out.at++] = PUBLISH_HEADER | flags;
    writeVarint(out, headLength + this.#payload.length);
    out.raw(this.#topic);
    if ((flags & QOS_FLAGS) !== 0) {
      out.view.setUint16(out.at, packetId);
      out.at += 2;
    }
    if (version === 4) return;
    writeVarint(out, extra.length + this.#properties.length);
    out.raw(extra);
    out.raw(this.#properties);
  }

  /** The length of a packet's body without the payload. */
  #headLength(version: Version, flags: number, extra: Uint8Array): number {
    const idBytes = (flags & QOS_FLAGS) === 0 ? 0 : 2;
    const length = this.#topic.length + idBytes;
    if (version === 4) return length;
    const properties = extra.length + this.#properties.length;
    return length + varintBytes(properties) + properties;
  }

  #template(version: Version, flags: number): Template | undefined {
    const hasPacketId = (flags & QOS_FLAGS) !== 0;
    const index = (version === 5 ? 2 : 0) + (hasPacketId ? 1 : 0);
    const templates = this.#templates ??= [];
    const known = templates[index];
    if (known) return known;
    const bytes = this.size(version, flags);
    if (bytes > MAX_TEMPLATE_BYTES) return undefined;
    const out = new ByteWriter(bytes + MAX_VARINT_BYTES);
    this.appendHead(out, version, flags, 0);
    const length = this.#headLength(version, flags, NO_BYTES) +
      this.#payload.length;
    const packetIdAt = 1 + varintBytes(length) + this.#topic.length;
    out.raw(this.#payload);
    const template = { bytes: out.take(), packetIdAt };
    templates[index] = template;
    return template;
  }
}

/**
 * Encodes the properties that differ between deliveries of a message.
 *
 * @param messageExpiryInterval what is left of it, in s (MQTT 5, 3.3.2-6)
 * @param subscriptionIdentifiers those of all matching subscriptions (MQTT 5,
 * 3.3.4-3)
 */
export function encodeDeliveryProperties(
  messageExpiryInterval: number | undefined,
  subscriptionIdentifiers: readonly number[] = [],
): Uint8Array {
  const properties: Properties = {
    ...(messageExpiryInterval !== undefined && { messageExpiryInterval }),
    subscriptionIdentifiers,
  };
  return encodeForwardedProperties(properties);
}
