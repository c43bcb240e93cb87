/**
 * An HTTP client that sends what it wants and reads only when told to.
 *
 * @module
 */
import { deadline } from "../../src/common/async.ts";

const READ_BYTES = 64 * 1024;
const READ_TIMEOUT_MS = 20_000;

/** A connection on which nothing is read until the test reads. */
export class SlowClient implements Disposable {
  readonly #connection: Deno.TcpConn;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    connection.setNoDelay(true);
  }

  /** Connects and sends lines, each with CR LF. */
  static async open(
    url: string,
    lines: readonly string[],
    body = "",
  ): Promise<SlowClient> {
    const { hostname, port } = new URL(url);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const client = new SlowClient(connection);
    const head = [lines[0], "Host: localhost", ...lines.slice(1), "", ""];
    await client.send(head.join("\r\n") + body);
    return client;
  }

  /** Sends text. */
  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) {
      at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** Sends a chunk of a body (RFC 9112, 7.1). */
  async sendChunk(text: string): Promise<void> {
    await this.send(`${text.length.toString(16)}\r\n${text}\r\n`);
  }

  /** Returns the first bytes of the answer. */
  async readHead(): Promise<string> {
    const buffer = new Uint8Array(READ_BYTES);
    const count = await this.#connection.read(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, count));
  }

  /**
   * Reads until the server closes the connection.
   *
   * @returns the number of bytes, and the first of them as text
   */
  async readToEnd(): Promise<{ length: number; start: string }> {
    let length = 0;
    let start = "";
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await deadline(
        this.#connection.read(buffer).catch(() => null), // reset
        READ_TIMEOUT_MS,
        () => new Error(`Not closed after ${length} bytes`),
      );
      if (count === null) return { length, start };
      if (length === 0) {
        start = new TextDecoder().decode(buffer.subarray(0, count));
      }
      length += count;
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** Returns the count of a limit in the metrics. */
export async function limited(url: string, limit: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = `occupancy_limited_total\\{limit="${limit}"\\} (\\d+)`;
  return Number(new RegExp(line).exec(text)?.[1] ?? 0);
}

/** Returns readings of a square, as CSV. */
export function square(side: number, value = 1): string {
  const rows: string[] = [];
  for (let x = 0; x < side; x++) {
    for (let y = 0; y < side; y++) rows.push(`${x},${y},${value}`);
  }
  return rows.join("\n");
}
