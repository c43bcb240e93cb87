/**
 * Sends a response of the Web at the speed of its client.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { encodeText } from "../../protocol/text.ts";
import { FixedResponse } from "../fixed_response.ts";
import type { StallWatch } from "./stall_watch.ts";

/** A large body is passed on in pieces of this size, to see its progress. */
const PIECE_BYTES = 64 * 1024;

/** Options of {@linkcode sendResponse}. */
export interface SendOptions {
  /** Headers of every response: names and values in turn. */
  readonly headers: readonly string[];
  /** Disconnects clients that read nothing. */
  readonly stalls: StallWatch;
  /** True if the server is closing: the response is the connection's last. */
  readonly isClosing: boolean;
  /**
   * How long the rest of an unread request body is read after the response, in
   * ms.
   */
  readonly lingerMs: number;
}

/**
 * Sends a response. Resolves when it is sent, or when the connection has ended.
 * If its body fails, the connection is closed, so that the client does not take
 * the part for the whole.
 *
 * @param response any but 101
 * @param to on an open connection
 * @returns true if it is the last response of the connection
 */
export async function sendResponse(
  response: Response,
  to: ServerResponse,
  options: SendOptions,
): Promise<boolean> {
  const sender = new Sender(response, to, options);
  try {
    if (response instanceof FixedResponse) {
      await sender.sendAll(response.content);
    } else if (response.body === null) {
      await sender.sendAll("");
    } else {
      await sender.sendStream(response.body);
    }
  } catch {
    to.destroy();
  }
  return sender.isLast;
}

class Sender {
  readonly #response: Response;
  readonly #to: ServerResponse;
  readonly #options: SendOptions;
  /** True if the head says that the connection ends after the response. */
  isLast = false;

  constructor(response: Response, to: ServerResponse, options: SendOptions) {
    this.#response = response;
    this.#to = to;
    this.#options = options;
  }

  /** Sends a body that is complete, with its length. */
  async sendAll(content: string | Uint8Array): Promise<void> {
    this.#writeHead(Buffer.byteLength(content));
    if (content.length <= PIECE_BYTES) {
      await this.#end(content); // a string: head and body in one write
      return;
    }
    await this.#write(
      typeof content === "string" ? encodeText(content) : content,
    );
    await this.#end();
  }

  /** Sends a stream; with its length if it ends at once. */
  async sendStream(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    this.#to.once("close", () => reader.cancel().catch(() => {}));
    let next = reader.read();
    const first = await settledSoon(next);
    if (first?.done) return await this.sendAll("");
    if (first !== undefined) {
      next = reader.read();
      if ((await settledSoon(next))?.done) {
        return await this.sendAll(first.value);
      }
    }
    this.#writeHead(undefined);
    if (first === undefined) this.#to.flushHeaders();
    else await this.#write(first.value);
    for (;;) {
      const { done, value } = await next;
      if (done) break;
      await this.#write(value);
      next = reader.read();
    }
    await this.#end();
  }

  /** @param length of the body, in bytes; undefined if it is unknown */
  #writeHead(length: number | undefined): void {
    const { status, headers } = this.#response;
    const list = [...this.#options.headers];
    for (const [name, value] of headers) list.push(name, value);
    const hasBody = status !== 204 && status !== 304 &&
      this.#to.req.method !== "HEAD";
    if (length !== undefined && hasBody && !headers.has("content-length")) {
      list.push("content-length", String(length));
    }
    // The rest of an unread body would have to be read before another request.
    const endsHere = this.#options.isClosing || this.#hasUnreadBody;
    if (endsHere && !headers.has("connection")) {
      list.push("connection", "close");
    }
    this.isLast = endsHere || headers.get("connection") === "close" ||
      !this.#to.shouldKeepAlive; // the client asked for it
    this.#to.writeHead(status, list);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      if (this.#to.destroyed) throw new Error("The connection has ended");
      const piece = bytes.subarray(start, start + PIECE_BYTES);
      if (!this.#to.write(piece)) await this.#wait("drain");
    }
  }

  async #end(last: string | Uint8Array = ""): Promise<void> {
    if (this.#hasUnreadBody && !this.#to.destroyed) {
      if (last.length > 0) this.#to.write(last);
      last = "";
      await this.#discardBody();
    }
    if (this.#to.destroyed) return;
    const finished = this.#wait("finish");
    this.#to.end(last);
    await finished;
  }

  get #hasUnreadBody(): boolean {
    const { complete, headers } = this.#to.req;
    return !complete &&
      (headers["content-length"] !== undefined ||
        headers["transfer-encoding"] !== undefined);
  }

  /**
   * Reads the rest of the request for a while: closing the connection with
   * unread data would discard the response on its way.
   */
  async #discardBody(): Promise<void> {
    const to = this.#to;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#options.lingerMs);
    to.req.once("end", resolve);
    to.once("close", resolve);
    to.req.resume();
    await promise;
    clearTimeout(timer);
    to.req.off("end", resolve);
    to.off("close", resolve);
  }

  /** Waits for an event, or the end of the connection. */
  async #wait(event: "drain" | "finish"): Promise<void> {
    const to = this.#to;
    if (to.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    to.once(event, resolve);
    to.once("close", resolve);
    this.#options.stalls.start(to);
    await promise;
    this.#options.stalls.end(to);
    to.off(event, resolve);
    to.off("close", resolve);
  }
}

/** Returns the result of a promise; undefined if it takes longer than a turn. */
async function settledSoon<T>(work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const turn = setImmediate(() => resolve(undefined));
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearImmediate(turn);
  }
}
