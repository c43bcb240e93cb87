import {
  BODY_TIMEOUT,
  type Limits,
  MAX_BODY_BYTES,
  type Release,
} from "../limits.ts";
import { Problem } from "../problem.ts";

/** A body that has been read. */
export interface Body {
  readonly bytes: Uint8Array;
  /** Gives back the room that it takes; when it is no longer needed. */
  readonly release: Release;
}

/**
 * Reads the body of a request, if it is not too long and does not take too long.
 *
 * @param timeout ms; by default {@linkcode BODY_TIMEOUT}
 * @throws {Problem} 408, 413, 415, 503
 */
export async function readBody(
  request: Request,
  limits: Limits,
  timeout: number = BODY_TIMEOUT,
): Promise<Body> {
  const coding = request.headers.get("content-encoding");
  if (coding !== null && coding !== "identity") {
    throw new Problem({
      status: 415,
      code: "bad-encoding",
      message: "A compressed body is not taken",
      hint: "Send it without Content-Encoding.",
    });
  }
  const length = request.headers.get("content-length");
  const announced = length === null ? MAX_BODY_BYTES : Number(length);
  if (announced > MAX_BODY_BYTES) throw tooLarge();
  const release = limits.take("bodyBytes", announced);
  try {
    return { bytes: await collect(request, timeout), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function collect(
  request: Request,
  timeout: number,
): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, timeout);
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (late) throw tooSlow(timeout);
      if (done) return join(chunks, total);
      total += value.length;
      if (total > MAX_BODY_BYTES) {
        reader.cancel().catch(() => {});
        throw tooLarge();
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw late ? tooSlow(timeout) : new Problem({
      status: 400,
      code: "incomplete-body",
      message: "The body ended too soon",
      hint: "Send it again.",
    });
  } finally {
    clearTimeout(timer);
  }
}

function join(chunks: readonly Uint8Array[], total: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function tooLarge(): Problem {
  return new Problem({
    status: 413,
    code: "too-large",
    message: `The body has more than ${MAX_BODY_BYTES} bytes`,
    hint: "Send the readings in several requests.",
  });
}

function tooSlow(timeout: number): Problem {
  return new Problem({
    status: 408,
    code: "too-slow",
    message: `The body did not come within ${timeout / 1000} s`,
    hint: "Send fewer readings at once.",
  });
}
