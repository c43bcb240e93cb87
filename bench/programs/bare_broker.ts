/**
 * The minimum of a broker: finds packets in what it reads, and acknowledges at
 * once. It stores and forwards nothing, and checks nothing.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { writeAll } from "../harness/write_all.ts";

/** Packet types (MQTT 3.1.1, 2.2.1). */
const CONNECT = 1;
const PUBLISH = 3;
const SUBSCRIBE = 8;

const READ_BYTES = 1 << 18;

/** A message that a client has published. */
export interface BareMessage {
  readonly topic: string;
  /** Valid until the handler returns. */
  readonly payload: Uint8Array;
  /** Writes to the client. */
  write(bytes: Uint8Array): void;
}

/** What a program does with messages. */
export interface BareHandlers {
  /**
   * The topic of messages that are only counted. Their topic is not compared,
   * only its length.
   */
  readonly countedTopic?: string;
  /** Called after each read with the number of counted messages in it. */
  onCounted?(messages: number): void;
  /** Called for each other message. */
  onMessage?(message: BareMessage): void;
}

/** Accepts connections on the loopback until the process ends. */
export async function serve(
  port: number,
  handlers: BareHandlers,
): Promise<void> {
  for await (const one of Deno.listen({ hostname: "127.0.0.1", port })) {
    one.setNoDelay(true);
    void new BareConnection(one, handlers).run();
  }
}

class BareConnection {
  readonly #connection: Deno.TcpConn;
  readonly #handlers: BareHandlers;
  #output = new Uint8Array(1 << 16);
  #outputBytes = 0;
  #counted = 0;
  /** MQTT 3.1.1: 4. */
  #version = 4;

  constructor(connection: Deno.TcpConn, handlers: BareHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
  }

  async run(): Promise<void> {
    const connection = this.#connection;
    let bytes = new Uint8Array(READ_BYTES);
    let length = 0;
    for (;;) {
      if (length === bytes.length) {
        const larger = new Uint8Array(2 * length);
        larger.set(bytes);
        bytes = larger;
      }
      const read = await connection.read(bytes.subarray(length))
        .catch(() => null);
      if (read === null) return connection.close();
      length += read;
      const end = this.#packets(bytes, length);
      bytes.copyWithin(0, end, length);
      length -= end;
      if (this.#counted > 0) this.#handlers.onCounted?.(this.#counted);
      this.#counted = 0;
      const output = this.#output.subarray(0, this.#outputBytes);
      await writeAll(connection, output);
      this.#outputBytes = 0;
    }
  }

  /** @returns the offset after the last complete packet */
  #packets(bytes: Uint8Array, length: number): number {
    let at = 0;
    for (;;) {
      let body = at + 1;
      let size = 0;
      let shift = 0;
      do {
        if (body >= length) return at;
        size |= (bytes[body]! & 127) << shift;
        shift += 7;
      } while (bytes[body++]! >= 128);
      const end = body + size;
      if (end > length) return at;
      this.#packet(bytes, at, body, end);
      at = end;
    }
  }

  #packet(bytes: Uint8Array, at: number, body: number, end: number): void {
    const { countedTopic, onMessage } = this.#handlers;
    const head = bytes[at]!;
    switch (head >> 4) {
      case CONNECT:
        this.#version = bytes[body + 6]!;
        this.#reply(this.#version === 5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]);
        break;
      case SUBSCRIBE: {
        const id = [bytes[body]!, bytes[body + 1]!];
        const properties = this.#version === 5 ? [0] : [];
        const rest = [...id, ...properties, 0];
        this.#reply([0x90, rest.length, ...rest]);
        break;
      }
      case PUBLISH: {
        const topicBytes = bytes[body]! << 8 | bytes[body + 1]!;
        let next = body + 2 + topicBytes;
        if ((head & 6) !== 0) {
          this.#acknowledge(bytes[next]!, bytes[next + 1]!);
          next += 2;
        }
        if (topicBytes === countedTopic?.length) this.#counted++;
        else {
          onMessage?.({
            topic: Buffer.from(bytes.buffer, body + 2, topicBytes).toString(),
            payload: bytes.subarray(next, end),
            write: (bytes) => this.#reply(bytes),
          });
        }
      }
    }
  }

  #acknowledge(high: number, low: number): void {
    if (this.#outputBytes + 4 > this.#output.length) this.#grow(4);
    const output = this.#output;
    const at = this.#outputBytes;
    output[at] = 0x40;
    output[at + 1] = 2;
    output[at + 2] = high;
    output[at + 3] = low;
    this.#outputBytes = at + 4;
  }

  #reply(bytes: ArrayLike<number>): void {
    if (this.#outputBytes + bytes.length > this.#output.length) {
      this.#grow(bytes.length);
    }
    this.#output.set(bytes, this.#outputBytes);
    this.#outputBytes += bytes.length;
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(2 * (this.#outputBytes + bytes));
    larger.set(this.#output.subarray(0, this.#outputBytes));
    this.#output = larger;
  }
}
