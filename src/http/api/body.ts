/**
 * Reads the body of a request, within limits of size and time.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { untilNextTurn } from "../../common/next_turn.ts";
import type { Share } from "../budget.ts";
import type { Exchange } from "../exchange.ts";
import {
  BODY_TIMEOUT_MS,
  type Limits,
  MAX_REQUEST_BODY_BYTES,
  overloaded,
  SMALL_BODY_BYTES,
} from "../limits.ts";
import { Problem } from "../problem.ts";

const FIRST_CAPACITY_BYTES = 4096;
/** Chunks of a body after which other work gets a turn. */
const CHUNKS_PER_TURN = 256;

/** Limits of one body. */
export interface BodyOptions {
  /** Maximum time for the whole body, in ms. Default 30 s. */
  readonly timeoutMs?: number;
  /** Maximum size. Default 8 MiB. */
  readonly maxBytes?: number;
  /** What to do about a body that is too large. */
  readonly tooLargeHint?: string;
}

/** The body of a request. */
export interface Body {
  readonly bytes: Uint8Array;
  /** Frees its share of the limits. Call it after the last use of the bytes. */
  release(): void;
}

/** A request and the objects that {@linkcode readBody} needs of its context. */
export interface BodyContext {
  readonly request: WebRequest;
  readonly exchange: Exchange;
  readonly limits: Limits;
}

/**
 * Reads the body of a request.
 *
 * @throws {Problem} 400 if it ends early, 408 if it is too slow, 413 if it is
 * too large, 415 if it is compressed, 503 if too many bodies are being read
 */
export async function readBody(
  context: BodyContext,
  options: BodyOptions = {},
): Promise<Body> {
  const { timeoutMs = BODY_TIMEOUT_MS } = options;
  const { request, exchange } = context;
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding !== "identity") {
    throw new Problem({
      status: 415,
      code: "bad-encoding",
      message: "Compressed bodies are not supported",
      hint: "Send the body without Content-Encoding.",
    });
  }
  const announced = Number(request.headers.get("content-length") ?? NaN);
  const { maxBytes = MAX_REQUEST_BODY_BYTES } = options;
  const tooLargeError = () => tooLarge(maxBytes, options);
  if (announced > maxBytes) throw tooLargeError();
  if (request.body === null) return { bytes: new Uint8Array(), release() {} };
  const reader = request.body.getReader();
  const buffer = new BodyBuffer(
    context,
    announced >= 0 ? announced : maxBytes,
    tooLargeError,
  );
  let failure: Problem | undefined;
  const fail = (problem: Problem) => {
    failure ??= problem;
    reader.cancel().catch(() => {});
  };
  const timer = setTimeout(() => fail(tooSlow(timeoutMs)), timeoutMs);
  exchange.onCut = () => fail(cutAsSlow());
  try {
    for (let chunks = 1;; chunks++) {
      exchange.waitForClient();
      const { done, value } = await reader.read();
      if (failure !== undefined) throw failure;
      exchange.clientProgressed(value?.length ?? 0);
      if (done) return buffer;
      await buffer.append(value);
      if (failure !== undefined) throw failure;
      // Small chunks come in microtasks, so that nothing else would run.
      if (chunks % CHUNKS_PER_TURN === 0) await untilNextTurn();
    }
  } catch (error) {
    buffer.release();
    if (error instanceof Problem) {
      fail(error);
      throw error;
    }
    throw failure ?? new Problem({
      status: 400,
      code: "incomplete-body",
      message: "The body ended before its announced length",
      hint: "Send it again.",
    });
  } finally {
    clearTimeout(timer);
    exchange.clientProgressed(0);
    exchange.onCut = () => {};
  }
}

/**
 * Collects a body in one buffer that doubles: chunks of one byte need no more
 * memory than others.
 */
class BodyBuffer implements Body {
  readonly #context: BodyContext;
  readonly #maxBytes: number;
  readonly #tooLarge: () => Problem;
  #buffer = new Uint8Array(FIRST_CAPACITY_BYTES);
  #length = 0;
  #share: Share | undefined;

  /**
   * @param maxBytes the announced length, or the maximum
   * @param tooLarge makes the error for a longer body
   */
  constructor(
    context: BodyContext,
    maxBytes: number,
    tooLarge: () => Problem,
  ) {
    this.#context = context;
    this.#maxBytes = maxBytes;
    this.#tooLarge = tooLarge;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /**
   * Appends a chunk.
   *
   * @throws {Problem} 413 if the body is too large, 503 if other bodies use all
   * memory
   */
  async append(chunk: Uint8Array): Promise<void> {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) throw this.#tooLarge();
    if (length > this.#buffer.length) await this.#enlarge(length);
    this.#buffer.set(chunk, this.#length);
    this.#length = length;
  }

  release(): void {
    this.#share?.release();
  }

  async #enlarge(needed: number): Promise<void> {
    const doubled = Math.min(2 * this.#buffer.length, this.#maxBytes);
    const capacity = Math.max(needed, doubled);
    if (capacity > SMALL_BODY_BYTES) await this.#reserve(capacity);
    const larger = new Uint8Array(capacity);
    larger.set(this.bytes);
    this.#buffer = larger;
  }

  async #reserve(bytes: number): Promise<void> {
    const { exchange, limits: { bodyBytes } } = this.#context;
    if (this.#share === undefined) {
      this.#share = await bodyBytes.take(exchange, bytes);
      if (this.#share !== undefined) return;
    } else if (
      await bodyBytes.resize(exchange, this.#share, bytes)
    ) return;
    throw overloaded("bodyBytes");
  }
}

function tooLarge(
  maxBytes: number,
  { tooLargeHint = "Send the readings in several requests." }: BodyOptions,
): Problem {
  return new Problem({
    status: 413,
    code: "too-large",
    message: `The body is larger than ${maxBytes} bytes`,
    hint: tooLargeHint,
  });
}

function tooSlow(timeoutMs: number): Problem {
  return new Problem({
    status: 408,
    code: "too-slow",
    message: `The body did not arrive within ${timeoutMs / 1000} s`,
    hint: "Send fewer readings per request.",
  });
}

function cutAsSlow(): Problem {
  return new Problem({
    status: 408,
    code: "too-slow",
    message: "The body arrived slowly, and the server needed its memory",
    hint: "Send it again, without pauses.",
  });
}
