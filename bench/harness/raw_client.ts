/**
 * A minimal MQTT client over TCP, so that the load generator is not the
 * limit.
 *
 * @module
 */
import { generate, type Packet } from "mqtt-packet";
import { REQUEST_ID } from "./packets.ts";
import { writeAll } from "./write_all.ts";

/** The version of MQTT: 4 is 3.1.1. */
export type Version = 4 | 5;

/** Packet types (MQTT 3.1.1, 2.2.1). */
const CONNACK = 2;
const PUBLISH = 3;
const PUBACK = 4;
const SUBACK = 9;
/** The first bytes of a PUBACK of a message that was not refused. */
const PUBACK_HEADER = 0x40;
const PUBACK_LENGTH = 2;
const PUBACK_BYTES = 4;

const READ_BYTES = 1 << 18;

/** A received message, QoS 0. */
export interface Message {
  readonly topic: string;
  /** Valid until the handler returns. */
  readonly payload: Uint8Array;
}

/**
 * Writes encoded packets, counts acknowledgements and passes messages to
 * `onMessage`. Reads packets without mqtt-packet, whose 1.4 µs a PUBACK would
 * limit the load.
 */
export class RawClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #version: Version;
  readonly #replies: (() => void)[] = [];
  readonly #wakers = new Set<() => void>();
  /** The start of an incomplete packet. */
  #rest = new Uint8Array(0);
  #failure: Error | undefined;
  #closed = false;
  /** Number of PUBACKs, without those of requests. */
  acknowledged = 0;
  /** Called for each message. */
  onMessage: (message: Message) => void = () => {};

  constructor(connection: Deno.TcpConn, version: Version = 4) {
    this.#connection = connection;
    this.#version = version;
    this.#read().catch((error) => this.#fail(error));
  }

  /**
   * Connects to a broker on the loopback.
   *
   * @throws {Error} if the broker refuses
   */
  static async connect(
    port: number,
    clientId: string,
    version: Version = 4,
  ): Promise<RawClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const client = new RawClient(connection, version);
    // No keep-alive, because the client may send nothing for a long time.
    await client.#exchange({
      cmd: "connect",
      protocolId: "MQTT",
      protocolVersion: version,
      clientId,
      clean: true,
      keepalive: 0,
    });
    return client;
  }

  /** Subscribes at QoS 0. */
  async subscribe(filter: string): Promise<void> {
    await this.#exchange({
      cmd: "subscribe",
      messageId: 1,
      subscriptions: [{ topic: filter, qos: 0 }],
    });
  }

  /** Writes a packet. */
  async send(packet: Packet): Promise<void> {
    const options = { protocolVersion: this.#version };
    await this.write(generate(packet, options));
  }

  /** Writes encoded packets. */
  write(bytes: Uint8Array): Promise<void> {
    return writeAll(this.#connection, bytes);
  }

  /** Waits until a received packet makes the condition true. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((wake) => this.#wakers.add(wake));
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#connection.close();
  }

  async #exchange(packet: Packet): Promise<void> {
    let replied = false;
    this.#replies.push(() => replied = true);
    await this.send(packet);
    await this.until(() => replied);
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const length = await this.#connection.read(buffer);
      if (length === null) throw new Error("The broker closed the connection");
      this.#receive(buffer.subarray(0, length));
      for (const wake of this.#wakers) wake();
      this.#wakers.clear();
    }
  }

  #fail(error: Error): void {
    if (this.#closed) return;
    this.#failure = error;
    for (const wake of this.#wakers) wake();
  }

  #receive(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    let at = 0;
    for (;;) {
      at = this.#acknowledgements(bytes, at);
      const end = this.#packet(bytes, at);
      if (end === -1) break;
      at = end;
    }
    this.#rest = bytes.slice(at);
  }

  /** Counts PUBACKs. @returns the offset after them */
  #acknowledgements(bytes: Uint8Array, at: number): number {
    const last = bytes.length - PUBACK_BYTES;
    let count = 0;
    for (
      ;
      at <= last && bytes[at] === PUBACK_HEADER &&
      bytes[at + 1] === PUBACK_LENGTH;
      at += PUBACK_BYTES
    ) {
      const id = bytes[at + 2]! << 8 | bytes[at + 3]!;
      if (id !== REQUEST_ID) count++;
    }
    this.acknowledged += count;
    return at;
  }

  /** Handles a packet. @returns where it ends, or -1 if it is incomplete */
  #packet(bytes: Uint8Array, at: number): number {
    let length = 0;
    let body = at + 1;
    for (let factor = 1;; factor *= 128) {
      if (body >= bytes.length) return -1;
      const digit = bytes[body++]!;
      length += (digit & 127) * factor;
      if (digit < 128) break;
    }
    const end = body + length;
    if (end > bytes.length) return -1;
    const type = bytes[at]! >> 4;
    // With a reason (MQTT 5, 3.4.2.1), which may be a refusal.
    if (type === PUBACK) throw new Error("The broker refused a message");
    if (type === PUBLISH) this.#publish(bytes.subarray(body, end));
    else if (type === SUBACK || type === CONNACK) {
      const code = type === CONNACK ? bytes[body + 1]! : bytes[end - 1]!;
      if (code > 2) {
        throw new Error("The broker refused CONNECT or SUBSCRIBE");
      }
      this.#replies.shift()?.();
    }
    return end;
  }

  #publish(body: Uint8Array): void {
    const topicEnd = 2 + (body[0]! << 8 | body[1]!);
    let start = topicEnd;
    if (this.#version === 5) {
      // The length of the properties; these are a few bytes.
      if (body[start]! >= 128) throw new Error("The properties are long");
      start += 1 + body[start]!;
    }
    this.onMessage({
      topic: new TextDecoder().decode(body.subarray(2, topicEnd)),
      payload: body.subarray(start),
    });
  }
}
