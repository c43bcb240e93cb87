/**
 * Answers requests about the past: asks the history, with the limits of large
 * responses, and sends its answer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { missingPackageError } from "../../../common/errors.ts";
import type { HistoryService } from "../../../history/answers.ts";
import { historyOff } from "../../../history/questions.ts";
import { ProtocolError } from "../../../protocol/mod.ts";
import type { HttpContext } from "../../context.ts";
import type { RequestContext } from "../../endpoint.ts";
import type { Share } from "../../budget.ts";
import { overloaded } from "../../limits.ts";
import { Problem } from "../../problem.ts";
import { byteStream, matchesETag } from "../../responses.ts";
import { textResponse } from "../../text_response.ts";
import type { Table } from "./columns.ts";

/** The formats of an answer. */
export const FORMATS = ["json", "csv", "parquet"] as const;

/** What the body of an answer is made of; the ETag identifies it. */
interface PastContent {
  readonly content: readonly (string | Numbers)[];
}

/** The body of an answer as text. */
interface PastText extends PastContent {
  readonly format: "json" | "csv";
  /** The text, in parts of about a millisecond. */
  readonly parts: Iterable<string>;
}

/** The body of an answer as a Parquet file. */
interface PastFile extends PastContent {
  readonly format: "parquet";
  readonly table: Table;
}

/** The body of an answer. */
export type PastBody = PastText | PastFile;

type Numbers = Int32Array | Uint8Array | Uint32Array | Float64Array;

/**
 * The shares of an answer that may have the cells of a whole layer: it is in
 * memory until the client has read it, up to 50 MB.
 */
export const CELLS_SHARES = 4;

/** Hashed in one turn: about a millisecond. */
const HASH_BYTES = 512 * 1024;

/** Of Parquet files, as registered with IANA. */
export const PARQUET_TYPE = "application/vnd.apache.parquet";

const CONTENT_TYPES = {
  json: "application/json",
  csv: "text/csv; charset=utf-8; header=present",
  parquet: PARQUET_TYPE,
} as const;

/** Errors of the history that are not the fault of the request's text. */
const STATUSES: Readonly<Record<string, number>> = {
  "history-off": 409,
  "other-server": 409,
  "unknown-zone": 404,
  overloaded: 503,
  "store-failing": 503,
};

/**
 * Returns the history.
 *
 * @throws {Problem} 409 "history-off" if it is not recorded
 */
export function historyOf({ history }: HttpContext): HistoryService {
  if (history !== undefined) return history;
  throw problemOf(historyOff());
}

/** A request about the past. */
export interface PastRequest<Question, Answer> {
  /** Shares of the large responses. */
  readonly shares: number;
  /** Reads the question; may throw a {@linkcode ProtocolError}. */
  readonly read: (history: HistoryService) => Question;
  /** Asks; may reject with a {@linkcode ProtocolError}. */
  readonly ask: (
    history: HistoryService,
    question: Question,
  ) => Promise<Answer>;
  readonly write: (answer: Answer) => PastBody;
}

/**
 * Asks the history and answers. The question counts as a large response until
 * the client has read the answer: it may need as much time and memory.
 *
 * @returns 304 without a body if the client has the answer; rejects with a
 * {@linkcode Problem} if the history refuses the question
 */
export async function answerPast<Question, Answer>(
  context: RequestContext,
  { shares, read, ask, write }: PastRequest<Question, Answer>,
): Promise<Response> {
  const { request, server, limits, exchange, metrics } = context;
  const history = historyOf(server);
  let share: Share | undefined;
  try {
    const question = read(history);
    const { largeResponses } = limits;
    const amount = Math.min(shares, largeResponses.max);
    share = await largeResponses.take(exchange, amount);
    if (share === undefined) throw overloaded("largeResponses");
    const body = write(await ask(history, question));
    const etag = await etagOf(context, body);
    const headers = new Headers({
      etag,
      "cache-control": "no-cache",
      vary: "accept-encoding",
    });
    if (matchesETag(request.headers.get("if-none-match"), etag)) {
      share.release();
      return new Response(null, { status: 304, headers });
    }
    headers.set("content-type", CONTENT_TYPES[body.format]);
    const options = {
      share,
      onBytes: (bytes: number) => metrics.addSentBytes("history", bytes),
    };
    return body.format === "parquet"
      ? await fileResponse(context, body.table, headers, options)
      : await textResponse(context, body.parts, headers, options);
  } catch (error) {
    share?.release();
    throw problemOf(error);
  }
}

/**
 * Answers with a Parquet file that is written while the client reads it.
 *
 * @returns rejects with a {@linkcode Problem} if the package cannot be loaded
 */
async function fileResponse(
  { request, url, exchange, turns }: RequestContext,
  table: Table,
  headers: Headers,
  { share, onBytes }: { share: Share; onBytes: (bytes: number) => void },
): Promise<Response> {
  if (request.method === "HEAD") {
    share.release();
    return new Response(null, { headers });
  }
  const { writeParquet } = await import("./parquet.ts");
  const question = {
    path: url.pathname,
    ...Object.fromEntries(url.searchParams),
  };
  const parts = writeParquet(table, JSON.stringify(question));
  const stream = byteStream({
    next: () =>
      turns.run(exchange.network, () => parts.next().value ?? undefined),
    onEnd: () => share.release(),
    onBytes,
  }, exchange);
  return new Response(stream, { headers });
}

/** Returns the error response for an error of the history. */
export function problemOf(error: unknown): unknown {
  const missing = missingPackageError(error);
  if (missing !== undefined) {
    const { code, message, hint } = missing;
    return new Problem({ status: 503, code, message, hint });
  }
  if (!(error instanceof ProtocolError)) return error;
  const { code, message, hint } = error;
  const status = STATUSES[code] ?? 400;
  const headers = status === 503 ? { "retry-after": "1" } : {};
  return new Problem({ status, code, message, hint, headers });
}

/** Weak: the text of equal answers may be compressed. */
async function etagOf(
  { turns, exchange }: RequestContext,
  { format, content }: PastBody,
): Promise<string> {
  const hash = createHash("sha1").update(format);
  for (const part of content) {
    if (typeof part === "string" || part.byteLength <= HASH_BYTES) {
      hash.update(part);
      continue;
    }
    const step = HASH_BYTES / part.BYTES_PER_ELEMENT;
    for (let at = 0; at < part.length; at += step) {
      const some = part.subarray(at, at + step);
      await turns.run(exchange.network, () => hash.update(some));
    }
  }
  return `W/"${hash.digest("base64url")}"`;
}
