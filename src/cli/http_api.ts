/**
 * Sends requests to the HTTP interface of a server, and describes why they
 * fail.
 *
 * @module
 */
import { AppError, messageOf } from "../common/errors.ts";
import { isJsonObject } from "../protocol/text.ts";
import { readText } from "./files.ts";
import { warnIfReadable } from "./secret_files.ts";
import { printWarning } from "./terminal/output.ts";

/** Where a server is; the flags of the commands that use HTTP. */
export interface HttpFlags {
  /** The address of the server, with a slash at its end. */
  readonly url: string;
  /** The file with the access token. */
  readonly httpTokenFile?: string;
  /** Maximum time for each answer, in ms. */
  readonly timeout: number;
}

/** A request. */
export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** An answer with a status below 300. */
export interface HttpAnswer {
  readonly text: string;
  /** Undefined if it has none. */
  readonly etag: string | undefined;
  /** The text as JSON; undefined if it is none. */
  json(): unknown;
}

const HTTP_HINT =
  "Set --url to the address that the server shows at its start as its dashboard.";

/** Sends requests to the HTTP interface of one server. */
export class HttpApi {
  readonly #flags: HttpFlags;
  readonly #token: string | undefined;

  /**
   * Reads the token.
   *
   * @throws {AppError} if its file cannot be read
   */
  static async open(flags: HttpFlags): Promise<HttpApi> {
    return new HttpApi(flags, await readHttpToken(flags.httpTokenFile));
  }

  private constructor(flags: HttpFlags, token: string | undefined) {
    this.#flags = flags;
    this.#token = token;
  }

  /**
   * Sends a request.
   *
   * @param method of the request
   * @param path relative to the address of the server
   * @throws {AppError} if the server does not answer, or refuses; its code is
   * then that of the problem
   */
  async send(
    method: string,
    path: string,
    { headers = {}, body }: HttpRequest = {},
  ): Promise<HttpAnswer> {
    const { url, timeout } = this.#flags;
    const token = this.#token;
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(path, url), {
        method,
        redirect: "manual",
        signal: AbortSignal.timeout(timeout),
        headers: {
          ...headers,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(body !== undefined && { body }),
      });
      text = await response.text();
    } catch (error) {
      throw noAnswer(url, error, timeout);
    }
    const json = () => parse(text);
    if (!response.ok) throw this.#refusal(json());
    return { text, etag: response.headers.get("etag") ?? undefined, json };
  }

  /** @param problem the body of the answer: problem details (RFC 9457) */
  #refusal(problem: unknown): AppError {
    if (!isJsonObject(problem) || typeof problem.detail !== "string") {
      return this.notOccupancy();
    }
    const { code, detail, hint } = problem;
    const reason = detail.replace(/\.$/, "");
    return new AppError(
      typeof code === "string" ? code : "refused",
      `The server refused the request: ${reason}`,
      {
        hint: code === "no-token"
          ? "Give the file with the token of the server: --http-token-file."
          : typeof hint === "string"
          ? hint
          : undefined,
      },
    );
  }

  /** Returns the error for an answer that no occupancy server sends. */
  notOccupancy(): AppError {
    return new AppError(
      "no-occupancy",
      `The answer of ${this.#flags.url} is not that of an occupancy server`,
      { hint: HTTP_HINT },
    );
  }
}

/**
 * Reads an access token, and warns if others can read it.
 *
 * @param file undefined: there is none
 * @throws {AppError} if the file cannot be read
 */
export async function readHttpToken(
  file: string | undefined,
): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = (await readText(file)).trim();
  await warnIfReadable(file, "token", printWarning);
  return token;
}

/**
 * Encodes a name for the last segment of a path. URLs have no segments "." and
 * "..", encoded or not.
 */
export function segmentOf(name: string): string {
  const prefix = /^\.\.?$/.test(name) ? "%2F" : "";
  return prefix + encodeURIComponent(name);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noAnswer(url: string, error: unknown, timeout: number): AppError {
  const isTimeout = error instanceof DOMException &&
    error.name === "TimeoutError";
  const reason = isTimeout
    ? `no answer within ${timeout / 1000} s`
    : causeOf(error);
  return new AppError("no-answer", `Cannot reach ${url}: ${reason}`, {
    exitClass: "no-answer",
    hint: isTimeout
      ? "The server may be busy: wait longer with --timeout 30s."
      : `Start the server, without --no-http. ${HTTP_HINT}`,
    cause: error,
  });
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const text = messageOf(cause ?? error);
  if (/connection refused/i.test(text)) return "connection refused";
  if (/lookup|dns/i.test(text)) return "unknown host";
  if (/certificate/i.test(text)) return "its certificate is not trusted";
  return text.replace(/^.*client error \(\w+\): /s, "");
}
