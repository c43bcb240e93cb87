/**
 * Runs one case against a server, and says what is wrong with how it ended.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import type { HttpCase } from "./http_cases.ts";
import type { MqttCase } from "./mqtt_cases.ts";
import type { WebSocketCase } from "./websocket_cases.ts";

/** The server must have answered or closed the connection by then. */
const DEADLINE_MS = 20_000;
/** How long a response without an end is read. */
const STREAM_MS = 30;
const ENDLESS = /^HTTP\/1\.1 101 |^content-type: text\/event-stream/im;

/** How a case ended. */
export interface Outcome {
  /** What is wrong; undefined if nothing is. */
  readonly failure: string | undefined;
  readonly answered: boolean;
}

/** Sends requests. Each must be answered, or the connection closed. */
export async function runHttpCase(
  port: number,
  { pieces, leaves, responses }: HttpCase,
): Promise<Outcome> {
  const connection = await Connection.open(port);
  if (connection === undefined) return REFUSED;
  await connection.send(pieces);
  if (leaves) {
    connection.close();
    return { failure: undefined, answered: false };
  }
  // A complete request must be answered without the end of the connection.
  if (responses === undefined) await connection.end();
  const closed = await connection.closed();
  const { text } = connection;
  const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)]
    .map(([, status]) => Number(status));
  const failure = !closed
    ? `neither answered completely nor closed within ${DEADLINE_MS / 1000} s`
    : statuses.includes(500)
    ? "answered with 500"
    : statuses.some((status) => status > 599)
    ? "answered with an unknown status"
    : responses !== undefined && statuses.length !== responses &&
        !announcesEnd(text) && !connection.wasReset
    ? `${statuses.length} answers to ${responses} requests`
    : undefined;
  return {
    failure: failure && `${failure}: ${JSON.stringify(text.slice(0, 300))}`,
    answered: statuses.length > 0,
  };
}

/**
 * Returns true if the last response announces the end of the connection. A
 * server that answers before the body has arrived may do so.
 */
function announcesEnd(text: string): boolean {
  const last = text.slice(text.lastIndexOf("HTTP/1.1 "));
  return /^connection: close\r$/im.test(last.split("\r\n\r\n", 1)[0]!);
}

/** Opens a feed and sends frames. The server must close it. */
export async function runWebSocketCase(
  port: number,
  { handshake, pieces, leaves }: WebSocketCase,
): Promise<Outcome> {
  const connection = await Connection.open(port, false);
  if (connection === undefined) return REFUSED;
  await connection.send([handshake]);
  await connection.send(pieces);
  if (leaves) {
    connection.close();
    return { failure: undefined, answered: false };
  }
  await connection.end();
  const closed = await connection.closed();
  const [head = ""] = connection.text.split("\r\n\r\n", 1);
  const isOpen = head.startsWith("HTTP/1.1 101 ");
  const failure = !closed
    ? `not closed within ${DEADLINE_MS / 1000} s`
    : head.startsWith("HTTP/1.1 500 ")
    ? "answered with 500"
    : isOpen
    ? frameProblem(connection.bytes.subarray(head.length + 4))
    : undefined;
  return { failure: failure && `${failure}: ${head}`, answered: isOpen };
}

/** Opens an MQTT connection and sends packets. The broker must close it. */
export async function runMqttCase(
  port: number,
  { pieces, leaves }: MqttCase,
): Promise<Outcome> {
  const connection = await Connection.open(port, false);
  if (connection === undefined) return REFUSED;
  await connection.send(pieces);
  if (leaves) {
    connection.close();
    return { failure: undefined, answered: false };
  }
  await connection.end();
  const closed = await connection.closed();
  const { bytes } = connection;
  const failure = closed
    ? packetProblem(bytes)
    : `not closed within ${DEADLINE_MS / 1000} s`;
  return {
    failure: failure && `${failure}: ${bytes.toHex()}`,
    answered: bytes.length > 0,
  };
}

/** Says what is wrong with the packets of the broker; they may be cut off. */
function packetProblem(bytes: Uint8Array): string | undefined {
  for (let at = 0; at < bytes.length;) {
    const type = bytes[at]! >> 4;
    if (at === 0 && type !== CONNACK) return "the first is not CONNACK";
    if (at > 0 && !FROM_BROKER.includes(type)) {
      return `a packet of type ${type}`;
    }
    let length = 0;
    let digits = 0;
    let digit;
    do {
      digit = bytes[++at];
      if (digit === undefined) return undefined;
      length |= (digit & 127) << 7 * digits++;
    } while (digit >= 128 && digits < 4);
    if (digit >= 128) return "a length of more than four bytes";
    at += 1 + length;
  }
  return undefined;
}

const CONNACK = 2;
/** PUBLISH to PUBCOMP, SUBACK, UNSUBACK, PINGRESP, DISCONNECT. */
const FROM_BROKER = [3, 4, 5, 6, 7, 9, 11, 13, 14];

/** The server may refuse connections while it has many. */
const REFUSED: Outcome = { failure: undefined, answered: false };

/** Says what is wrong with the frames of the server; they may be cut off. */
function frameProblem(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes[at]!;
    const short = bytes[at + 1]!;
    if ((first & 0x70) !== 0 || short >= 128) return "reserved bits or a mask";
    if (![0, 1, 2, 8, 9, 10].includes(first & 15)) return "an unknown opcode";
    const start = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    if (start > bytes.length) return undefined;
    const length = short === 126
      ? view.getUint16(at + 2)
      : short === 127
      ? Number(view.getBigUint64(at + 2))
      : short;
    const payload = bytes.subarray(start, start + length);
    if (payload.length < length) return undefined;
    if ((first & 15) === 1) {
      try {
        JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
      } catch {
        return "a text that is not JSON";
      }
    }
    at = start + length;
  }
  return undefined;
}

/** A connection that ignores errors: the server may close it at any time. */
class Connection {
  readonly #connection: Deno.TcpConn;
  readonly #reading: Promise<void>;
  readonly #chunks: Uint8Array[] = [];
  readonly #cutsEndless: boolean;
  /**
   * True if the server closed the connection while bytes of the client were on
   * their way, which discards responses: it waits half a second for the rest of
   * a body that it has not read.
   */
  wasReset = false;
  #streaming = false;
  #ended = Promise.withResolvers<void>();

  private constructor(connection: Deno.TcpConn, cutsEndless: boolean) {
    this.#connection = connection;
    this.#cutsEndless = cutsEndless;
    this.#reading = this.#read();
  }

  /**
   * Connects; undefined if the server refuses.
   *
   * @param cutsEndless whether a response without an end is cut off
   */
  static async open(
    port: number,
    cutsEndless = true,
  ): Promise<Connection | undefined> {
    try {
      return new Connection(
        await Deno.connect({ hostname: "127.0.0.1", port }),
        cutsEndless,
      );
    } catch {
      return undefined;
    }
  }

  /** Sends pieces, each by itself. */
  async send(pieces: readonly Uint8Array[]): Promise<void> {
    try {
      for (const piece of pieces) {
        for (let at = 0; at < piece.length;) {
          at += await this.#write(piece.subarray(at));
        }
        if (pieces.length > 1) await delay(0);
      }
    } catch {
      // closed by the server
    }
  }

  /** Sends no more, but reads. */
  async end(): Promise<void> {
    await this.#connection.closeWrite().catch(() => {});
  }

  /**
   * Waits until the server has closed the connection, or sends a response
   * without an end that is to be cut off.
   *
   * @returns false at the deadline
   */
  async closed(): Promise<boolean> {
    const timer = setTimeout(() => this.#ended.resolve(), DEADLINE_MS);
    const finished = this.#reading.then(() => true);
    let closed = await Promise.race([
      finished,
      this.#ended.promise.then(() => false),
    ]);
    clearTimeout(timer);
    if (this.#streaming) closed = true;
    this.close();
    await this.#reading;
    return closed;
  }

  get bytes(): Uint8Array {
    const all = new Uint8Array(
      this.#chunks.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const chunk of this.#chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  get text(): string {
    return new TextDecoder("latin1").decode(this.bytes);
  }

  close(): void {
    try {
      this.#connection.close();
    } catch {
      // closed before
    }
  }

  async #write(bytes: Uint8Array): Promise<number> {
    // The server may stop reading before it answers.
    let timer;
    const stopped = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("not read")), DEADLINE_MS);
    });
    try {
      return await Promise.race([this.#connection.write(bytes), stopped]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    for (;;) {
      const count = await this.#connection.read(buffer).catch((error) => {
        this.wasReset = error instanceof Deno.errors.ConnectionReset;
        return null;
      });
      if (count === null) return;
      this.#chunks.push(buffer.slice(0, count));
      if (!this.#cutsEndless || this.#streaming) continue;
      if (ENDLESS.test(decode(buffer.subarray(0, count)))) {
        this.#streaming = true;
        setTimeout(() => this.#ended.resolve(), STREAM_MS);
      }
    }
  }
}

const LATIN1 = new TextDecoder("latin1");
function decode(bytes: Uint8Array): string {
  return LATIN1.decode(bytes);
}
