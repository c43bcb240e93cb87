/**
 * Reads the body of a request, within limits of size and time.
 *
 * @module
 */
import { joinBytes } from "../../common/bytes.ts";
import {
  BODY_TIMEOUT_MS,
  type Limits,
  MAX_REQUEST_BODY_BYTES,
  type Release,
} from "../limits.ts";
import { Problem } from "../problem.ts";

/** The body of a request. */
export interface Body {
  readonly bytes: Uint8Array;
  /** Frees its share of the limits. Call it after the last use of the bytes. */
  readonly release: Release;
}

/**
 * Reads the body of a request.
 *
 * @param timeoutMs maximum time for the whole body, in ms
 * @throws {Problem} 400 if it ends early, 408 if it is too slow, 413 if it is
 * too large, 415 if it is compressed, 503 if too many bodies are being read
 */
export async function readBody(
  request: Request,
  limits: Limits,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<Body> {
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding !== "identity") {
    throw new Problem({
      status: 415,
      code: "bad-encoding",
      message: "Compressed bodies are not supported",
      hint: "Send the body without Content-Encoding.",
    });
  }
  const length = request.headers.get("content-length");
  const announced = length === null ? MAX_REQUEST_BODY_BYTES : Number(length);
  if (announced > MAX_REQUEST_BODY_BYTES) throw tooLarge();
  const release = limits.take("bodyBytes", announced);
  try {
    return { bytes: await collect(request, timeoutMs), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function collect(
  request: Request,
  timeoutMs: number,
): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    reader.cancel().catch(() => {});
  }, timeoutMs);
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (timedOut) throw tooSlow(timeoutMs);
      if (done) return chunks.length === 1 ? chunks[0]! : joinBytes(chunks);
      total += value.length;
      if (total > MAX_REQUEST_BODY_BYTES) {
        reader.cancel().catch(() => {});
        throw tooLarge();
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw timedOut ? tooSlow(timeoutMs) : new Problem({
      status: 400,
      code: "incomplete-body",
      message: "The body ended before its announced length",
      hint: "Send it again.",
    });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): Problem {
  return new Problem({
    status: 413,
    code: "too-large",
    message: `The body is larger than ${MAX_REQUEST_BODY_BYTES} bytes`,
    hint: "Send the readings in several requests.",
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
