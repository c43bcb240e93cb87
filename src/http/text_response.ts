/**
 * Answers with text that is written while the client reads it.
 *
 * @module
 */
import { encodeText } from "../protocol/text.ts";
import type { Share } from "./budget.ts";
import type { RequestContext } from "./endpoint.ts";
import { FixedResponse } from "./fixed_response.ts";
import { GzipWriter } from "./gzip.ts";
import { overloaded } from "./limits.ts";
import { acceptsGzip, byteStream } from "./responses.ts";

/** A text of at most this length is sent at once, without a limit. */
const SMALL_TEXT_LENGTH = 64 * 1024;
/** The length of the pieces of a longer one; about half a millisecond. */
const PIECE_LENGTH = 32 * 1024;

/** Options of {@linkcode textResponse}. */
export interface TextOptions {
  /**
   * A share of the large responses that the request has already; released with
   * the end of the response. Default: a large text takes one.
   */
  readonly share?: Share;
  /** Called with the number of bytes, before compression. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Answers with a text of any size. A large one is a large response: it needs a
 * share of that limit, is made a piece at a time, and compressed for clients
 * that accept gzip.
 *
 * @param context of the request
 * @param parts of the text; each is made in at most a few milliseconds, and all
 * are of one moment, also if they are made later
 * @param headers of the response
 * @param options the share, and who counts the bytes
 * @returns rejects with a 503 {@linkcode Problem} if there are too many large
 * responses
 */
export async function textResponse(
  { request, exchange, limits, turns }: RequestContext,
  parts: Iterable<string>,
  headers: Headers,
  { share: taken, onBytes = () => {} }: TextOptions = {},
): Promise<Response> {
  if (request.method === "HEAD") {
    taken?.release();
    return new Response(null, { headers });
  }
  const rest = parts[Symbol.iterator]();
  const first = nextPiece(rest, SMALL_TEXT_LENGTH);
  if (first.isLast) {
    taken?.release();
    const bytes = encodeText(first.text);
    onBytes(bytes.length);
    return new FixedResponse(bytes, { headers });
  }
  const share = taken ?? await limits.largeResponses.take(exchange, 1);
  if (share === undefined) throw overloaded("largeResponses");
  headers.set("vary", "accept-encoding");
  const isGzip = acceptsGzip(request.headers.get("accept-encoding"));
  if (isGzip) headers.set("content-encoding", "gzip");
  const pieces = writePieces(first.text, rest, isGzip, onBytes);
  const stream = byteStream({
    next: () => turns.run(exchange.network, () => pieces.next().value),
    onEnd: () => share.release(),
  }, exchange);
  return new Response(stream, { headers });
}

/**
 * Answers as {@linkcode textResponse} does, with a JSON object that ends with a
 * list.
 *
 * @param head the members before the list
 * @param name the name of the list
 * @param items of the list; they must not change
 */
export function listResponse(
  context: RequestContext,
  head: object,
  name: string,
  items: readonly unknown[],
): Promise<Response> {
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
  });
  return textResponse(context, writeList(head, name, items), headers);
}

function* writeList(
  head: object,
  name: string,
  items: readonly unknown[],
): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
  let separator = "\n";
  for (const item of items) {
    yield separator + JSON.stringify(item);
    separator = ",\n";
  }
  yield "\n]}\n";
}

function* writePieces(
  first: string,
  rest: Iterator<string>,
  isGzip: boolean,
  onBytes: (bytes: number) => void,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  const gzip = isGzip ? new GzipWriter() : undefined;
  if (gzip !== undefined) yield gzip.begin();
  const pack = (text: string) => {
    const bytes = encodeText(text);
    onBytes(bytes.length);
    return gzip?.add(bytes) ?? bytes;
  };
  yield pack(first);
  for (;;) {
    const { text, isLast } = nextPiece(rest, PIECE_LENGTH);
    if (text !== "") yield pack(text);
    if (isLast) break;
  }
  if (gzip !== undefined) yield gzip.end();
}

/** Joins parts until they have a length. */
function nextPiece(
  parts: Iterator<string>,
  length: number,
): { text: string; isLast: boolean } {
  let text = "";
  while (text.length <= length) {
    const { done, value } = parts.next();
    if (done) return { text, isLast: true };
    text += value;
  }
  return { text, isLast: false };
}
