/**
 * A TCP connection to an HTTP server, which sends any bytes and reads when the
 * test asks for it.
 */
import { Buffer } from "node:buffer";
import { latin1 } from "../raw_http.ts";
import { within } from "../../support/until.ts";

const READ_BYTES = 64 * 1024;

/** One response on a connection that stays open. */
export interface ReadResponse {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

export class RawClient implements Disposable {
  readonly #connection: Deno.Conn;
  #received = "";

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    return new RawClient(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Sends bytes: the characters up to U+00FF. */
  async send(text: string): Promise<void> {
    const bytes = latin1(text);
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** Sends a request without a body. */
  async request(path: string, method = "GET"): Promise<void> {
    await this.send(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  /** Reads one response, with a Content-Length or without a body. */
  async response(): Promise<ReadResponse> {
    const head = await this.until("\r\n\r\n");
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    while (this.#received.length < length) await this.#read();
    const body = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return { status: Number(head.split(" ")[1]), head, body };
  }

  /** Reads up to a text, and returns what comes before its end. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) await this.#read();
    const end = this.#received.indexOf(text) + text.length;
    const before = this.#received.slice(0, end);
    this.#received = this.#received.slice(end);
    return before;
  }

  /** Reads until the server closes the connection, and returns all of it. */
  async rest(): Promise<string> {
    try {
      for (;;) await this.#read();
    } catch (error) {
      if (!(error instanceof EndError)) throw error;
      return this.#received;
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    const count = await within(
      this.#connection.read(buffer).catch(() => null), // reset by the server
      () => `more than ${JSON.stringify(this.#received)}`,
    );
    if (count === null) throw new EndError(`The end after ${this.#received}`);
    this.#received += Buffer.from(buffer.subarray(0, count)).toString("latin1");
  }
}

class EndError extends Error {}
