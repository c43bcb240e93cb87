/**
 * MQTT 3.1.1 by hand: for bursts in one write, for looking at single packets,
 * and for a broker that does what no real one would.
 *
 * @module
 */
import { until } from "./until.ts";

/** Packet types (MQTT 3.1.1, 2.2.1). */
export const Packet = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A packet as it came: the low nibble of its first byte, and what follows the length. */
export interface RawPacket {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** The parts of a PUBLISH of MQTT 3.1.1. */
export interface RawPublish {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 0 at QoS 0. */
  readonly id: number;
}

/** A packet: fixed header, then the body (2.2.3: the length, seven bits a byte). */
export function encodePacket(
  type: number,
  body: Uint8Array,
  flags = 0,
): Uint8Array<ArrayBuffer> {
  const head = [type << 4 | flags];
  let length = body.length;
  do {
    head.push(length > 127 ? length & 127 | 128 : length);
    length >>>= 7;
  } while (length > 0);
  return concat([Uint8Array.from(head), body]);
}

/** A CONNECT with a clean session (3.1). */
export function encodeConnect(clientId: string): Uint8Array {
  return encodePacket(
    Packet.connect,
    concat([string("MQTT"), Uint8Array.of(4, 2, 0, 60), string(clientId)]),
  );
}

/** A SUBSCRIBE to one filter (3.8). */
export function encodeSubscribe(
  id: number,
  filter: string,
  qos: 0 | 1,
): Uint8Array {
  return encodePacket(
    Packet.subscribe,
    concat([uint16(id), string(filter), Uint8Array.of(qos)]),
    2,
  );
}

/** A PUBLISH (3.3); at QoS 1 it needs an id of 1 to 65,535. */
export function encodePublish(
  topic: string,
  payload: string | Uint8Array,
  { qos = 0, id = 0, retain = false, dup = false }: {
    qos?: 0 | 1;
    id?: number;
    retain?: boolean;
    dup?: boolean;
  } = {},
): Uint8Array {
  return encodePacket(
    Packet.publish,
    concat([
      string(topic),
      qos === 0 ? new Uint8Array(0) : uint16(id),
      typeof payload === "string" ? encoder.encode(payload) : payload,
    ]),
    (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0),
  );
}

/** A PUBACK (3.4). */
export function encodePuback(id: number): Uint8Array {
  return encodePacket(Packet.puback, uint16(id));
}

/** Reads the body of a PUBLISH. */
export function decodePublish({ flags, body }: RawPacket): RawPublish {
  const length = body[0]! << 8 | body[1]!;
  const qos = flags >> 1 & 3;
  const at = 2 + length;
  return {
    topic: decoder.decode(body.subarray(2, at)),
    payload: body.subarray(qos === 0 ? at : at + 2),
    qos,
    retain: (flags & 1) === 1,
    dup: (flags & 8) === 8,
    id: qos === 0 ? 0 : body[at]! << 8 | body[at + 1]!,
  };
}

/** A TCP connection that is read packet by packet. */
export class RawConnection implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #reading: Promise<void>;
  /** Packets that nobody has taken yet. */
  readonly packets: RawPacket[] = [];
  /** True once the other side has closed, or this one has. */
  closed = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reading = this.#read();
  }

  /** Connects to a broker as a client; resolves once it has let us in. */
  static async open(port: number, clientId: string): Promise<RawConnection> {
    const raw = new RawConnection(
      await Deno.connect({ hostname: "127.0.0.1", port }),
    );
    await raw.write(encodeConnect(clientId));
    await raw.take(Packet.connack);
    return raw;
  }

  /** Subscribes; resolves once the broker has. */
  async subscribe(filter: string, qos: 0 | 1 = 0): Promise<void> {
    await this.write(encodeSubscribe(1, filter, qos));
    await this.take(Packet.suback);
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      rest = rest.subarray(await this.#connection.write(rest));
    }
  }

  /** Waits for the next packet of a type; those before it are dropped. */
  async take(type: number, deadline = 10_000): Promise<RawPacket> {
    return await until(() => {
      for (let next; (next = this.packets.shift()) !== undefined;) {
        if (next.type === type) return next;
      }
      if (this.closed) {
        throw new Error(`Closed before a packet of type ${type} came`);
      }
    }, { deadline, what: `a packet of type ${type}` });
  }

  /** Takes what has come of a type; those of others stay. */
  taken(type: number): RawPacket[] {
    const all = this.packets.splice(0);
    this.packets.push(...all.filter((packet) => packet.type !== type));
    return all.filter((packet) => packet.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      this.#connection.close();
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    let rest = new Uint8Array(0);
    try {
      for (;;) {
        const count = await this.#connection.read(chunk);
        if (count === null) break;
        rest = this.#split(concat([rest, chunk.subarray(0, count)]));
      }
    } catch {
      // Reset by the other side, or closed here.
    }
    if (!this.closed) {
      this.closed = true;
      this.#connection.close();
    }
  }

  /** Takes whole packets off the front; returns what is left. */
  #split(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    for (let at = 0;;) {
      let length = 0;
      let body = at + 1;
      for (let shift = 0;; shift += 7) {
        const byte = bytes[body++];
        if (byte === undefined) return bytes.slice(at);
        length |= (byte & 127) << shift;
        if (byte < 128) break;
      }
      if (body + length > bytes.length) return bytes.slice(at);
      this.packets.push({
        type: bytes[at]! >> 4,
        flags: bytes[at]! & 15,
        body: bytes.slice(body, body + length),
      });
      at = body + length;
    }
  }
}

/** Joins byte arrays. */
export function concat(
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function uint16(number: number): Uint8Array {
  return Uint8Array.of(number >>> 8, number & 255);
}

function string(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  return concat([uint16(bytes.length), bytes]);
}
