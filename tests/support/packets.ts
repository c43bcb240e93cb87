/**
 * MQTT packets as bytes, for tests that need a burst in one write, or the exact
 * packets of a connection. mqtt-packet encodes and decodes them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { IPublishPacket, Packet } from "mqtt-packet";
import { permitted } from "./needs.ts";

export type { Packet } from "mqtt-packet";

/**
 * Loading the package needs permissions, so tests that use it need them too.
 */
const codec = permitted() ? await import("mqtt-packet") : undefined;

/** A received PUBLISH. */
export type PublishPacket = IPublishPacket & { readonly payload: Buffer };

/** The packet with a `cmd`. */
export type PacketOf<C extends Packet["cmd"]> = C extends "publish"
  ? PublishPacket
  : Extract<Packet, { cmd: C }>;

/** A protocol version: 4 is MQTT 3.1.1. */
export type Version = 4 | 5;

/**
 * Encodes a packet.
 *
 * @param packet the packet
 * @param protocolVersion 4 for the format of MQTT 3.1.1, or 5
 */
export function encode(packet: Packet, protocolVersion: Version = 4): Buffer {
  return codec!.generate(packet, { protocolVersion });
}

/** Options of {@linkcode encodeConnect}. */
export interface ConnectOptions {
  /** False to keep the session. Default true. */
  readonly clean?: boolean;
  /**
   * The message that the broker publishes if the connection is lost, at QoS 0.
   */
  readonly will?: { readonly topic: string; readonly payload: string };
}

/** Encodes a CONNECT of MQTT 3.1.1. */
export function encodeConnect(
  clientId: string,
  { clean = true, will }: ConnectOptions = {},
): Buffer {
  return encode({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: 4,
    clientId,
    clean,
    keepalive: 60,
    ...(will && { will: { ...will, qos: 0, retain: false } }),
  });
}

/** Options of {@linkcode encodePublish}. */
export interface PublishOptions {
  /** The packet identifier, 1 to 65,535. */
  readonly id?: number;
  /** Default: 1 with an id, else 0. */
  readonly qos?: 0 | 1 | 2;
  /** Default false. */
  readonly retain?: boolean;
  /** Default false. */
  readonly dup?: boolean;
}

/** Encodes a PUBLISH of MQTT 3.1.1. */
export function encodePublish(
  topic: string,
  payload: string | Uint8Array,
  { id, qos = id === undefined ? 0 : 1, retain = false, dup = false }:
    PublishOptions = {},
): Buffer {
  return encode({
    cmd: "publish",
    topic,
    payload: typeof payload === "string" ? payload : Buffer.from(
      payload.buffer,
      payload.byteOffset,
      payload.byteLength,
    ),
    qos,
    retain,
    dup,
    ...(qos > 0 && id !== undefined && { messageId: id }),
  });
}

/** Encodes PUBLISH packets at QoS 1 with the ids from 1 on, as payload too. */
export function encodeNumbered(topic: string, count: number): Buffer {
  return Buffer.concat(
    Array.from(
      { length: count },
      (_, i) => encodePublish(topic, `${i + 1}`, { id: i + 1 }),
    ),
  );
}

/** Encodes a SUBSCRIBE to one filter. */
export function encodeSubscribe(
  topic: string,
  qos: 0 | 1 = 0,
  messageId = 1,
): Buffer {
  return encode({
    cmd: "subscribe",
    messageId,
    subscriptions: [{ topic, qos }],
  });
}

/** Decodes a stream of packets. */
export class PacketDecoder {
  readonly #settings: { protocolVersion: Version } = { protocolVersion: 4 };
  readonly #parser = codec!.parser(this.#settings);
  readonly #packets: Packet[] = [];

  constructor() {
    this.#parser.on("packet", (packet) => {
      // The packets after a CONNECT have its version.
      if (packet.cmd === "connect") {
        this.#settings.protocolVersion = packet.protocolVersion === 5 ? 5 : 4;
      }
      this.#packets.push(packet);
    });
    this.#parser.on("error", (error) => {
      throw error;
    });
  }

  /** The version of the packets. */
  get version(): Version {
    return this.#settings.protocolVersion;
  }

  /**
   * Decodes the next bytes of the stream. Keeps a reference to them.
   *
   * @returns the packets that are now complete
   * @throws {Error} if they are malformed
   */
  push(bytes: Uint8Array): Packet[] {
    this.#parser.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    );
    return this.#packets.splice(0);
  }
}
