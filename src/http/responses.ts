/**
 * Builds responses: JSON, streams of bytes, and the headers of conditional and
 * compressed responses.
 *
 * @module
 */
import type { Exchange } from "./exchange.ts";
import type { Share } from "./budget.ts";
import { FixedResponse } from "./fixed_response.ts";

/**
 * Returns a JSON response that must not be cached.
 *
 * @param value any value that `JSON.stringify` accepts
 * @param options the status, 200 by default, and further headers
 */
export function jsonResponse(
  value: unknown,
  { status = 200, headers = {} }: {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Response {
  return new FixedResponse(`${JSON.stringify(value)}\n`, {
    status,
    headers: { ...JSON_HEADERS, ...headers },
  });
}

/**
 * Returns a JSON response as {@linkcode jsonResponse} does, for a large value.
 *
 * @param share released when the client has read the response
 */
export function slowJsonResponse(
  value: unknown,
  exchange: Exchange,
  share: Share,
): Response {
  const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  let at = 0;
  const body = byteStream({
    next: () =>
      at < bytes.length ? bytes.subarray(at, at += PIECE_BYTES) : undefined,
    onEnd: () => share.release(),
  }, exchange);
  return new Response(body, { headers: JSON_HEADERS });
}

const JSON_HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
};
const PIECE_BYTES = 64 * 1024;

/** The source of the bytes of a {@linkcode byteStream}. */
export interface ByteSource {
  /**
   * Returns the next bytes, undefined at the end. Called only when the client
   * has read the previous bytes, so nothing is queued for a slow client.
   */
  next():
    | Promise<Uint8Array<ArrayBuffer> | undefined>
    | Uint8Array<ArrayBuffer>
    | undefined;
  /** Called once when the stream ends: complete, cancelled or failed. */
  onEnd(): void;
  /** Called with the number of bytes that `next` has returned. */
  onBytes?(bytes: number): void;
}

/**
 * Returns a response body that is produced while the client reads it. If the
 * exchange is cut, it fails and the connection ends.
 */
export function byteStream(
  source: ByteSource,
  exchange: Exchange,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let ended = false;
  let unread = 0;
  const end = () => {
    exchange.onCut = () => {};
    if (!ended) source.onEnd();
    ended = true;
  };
  return new ReadableStream({
    start(controller) {
      exchange.onCut = () => {
        end();
        controller.error(new Error("The client reads too slowly"));
        exchange.disconnect();
      };
    },
    async pull(controller) {
      exchange.clientProgressed(unread);
      try {
        const bytes = await source.next();
        if (ended) return;
        if (bytes === undefined) {
          end();
          controller.close();
          return;
        }
        source.onBytes?.(bytes.length);
        unread = bytes.length;
        exchange.waitForClient();
        controller.enqueue(bytes);
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

/**
 * Returns true if an If-None-Match header matches an ETag: weak comparison, a
 * list or `*` (RFC 9110, 13.1.2).
 *
 * @param header the header of the request; null if it has none
 * @param etag with its quotes, weak or strong
 */
export function matchesETag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  const bare = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.split(",").some((tag) => bare(tag) === bare(etag));
}

/**
 * Returns true if an Accept-Encoding header accepts gzip (RFC 9110, 12.5.3).
 *
 * @param header the header of the request; null if it has none
 */
export function acceptsGzip(header: string | null): boolean {
  if (header === null) return false;
  let acceptsAny = false;
  for (const part of header.split(",")) {
    const [coding = "", ...rest] = part.split(";").map((text) =>
      text.trim().toLowerCase()
    );
    const refused = rest.some((text) => /^q=0(?:\.0*)?$/.test(text));
    if (coding === "gzip") return !refused;
    if (coding === "*") acceptsAny = !refused;
  }
  return acceptsAny;
}
