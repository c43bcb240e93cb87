/**
 * MQTT packets as bytes, for tests that need a burst in one write, or the exact
 * packets of a connection. mqtt-packet encodes and decodes them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type {
  IConnectPacket,
  IPublishPacket,
  Packet,
  Parser,
} from "mqtt-packet";
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
export type QoS = 0 | 1 | 2;

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
  /** Default 4. */
  readonly version?: Version;
  /** False to keep the session; Clean Start in MQTT 5. Default true. */
  readonly clean?: boolean;
  /** In s. Default 60. */
  readonly keepalive?: number;
  readonly username?: string;
  readonly password?: string;
  /** The message that the broker publishes if the connection is lost. */
  readonly will?: {
    readonly topic: string;
    readonly payload: string;
    /** Default 0. */
    readonly qos?: QoS;
    /** Default false. */
    readonly retain?: boolean;
    /** MQTT 5 only. */
    readonly properties?: NonNullable<IConnectPacket["will"]>["properties"];
  };
  /** MQTT 5 only. */
  readonly properties?: NonNullable<IConnectPacket["properties"]>;
}

/** Encodes a CONNECT. */
export function encodeConnect(
  clientId: string,
  options: ConnectOptions = {},
): Buffer {
  const { version = 4, clean = true, keepalive = 60, will } = options;
  const { username, password, properties } = options;
  return encode({
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId,
    clean,
    keepalive,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: Buffer.from(password) }),
    ...(properties && { properties }),
    ...(will && { will: { qos: 0, retain: false, ...will } }),
  } as IConnectPacket, version);
}

/** Options of {@linkcode encodePublish}. */
export interface PublishOptions {
  /** The packet identifier, 1 to 65,535. */
  readonly id?: number;
  /** Default: 1 with an id, else 0. */
  readonly qos?: QoS;
  /** Default false. */
  readonly retain?: boolean;
  /** Default false. */
  readonly dup?: boolean;
  /** Default 4. */
  readonly version?: Version;
  /** MQTT 5 only. */
  readonly properties?: NonNullable<IPublishPacket["properties"]>;
}

/** Encodes a PUBLISH. */
export function encodePublish(
  topic: string,
  payload: string | Uint8Array,
  options: PublishOptions = {},
): Buffer {
  const { id, qos = id === undefined ? 0 : 1, retain = false, dup = false } =
    options;
  const { version = 4, properties } = options;
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
    ...(properties && { properties }),
  }, version);
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
  readonly #settings: { protocolVersion: Version };
  readonly #parser: Parser;
  readonly #packets: Packet[] = [];

  /** @param version the version of the packets until a CONNECT. Default 4 */
  constructor(version: Version = 4) {
    this.#settings = { protocolVersion: version };
    this.#parser = codec!.parser(this.#settings);
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

  set version(version: Version) {
    this.#settings.protocolVersion = version;
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
