/**
 * Errors of HTTP requests, as problem details (RFC 9457).
 *
 * @module
 */
import { AppError } from "../common/errors.ts";
import { FixedResponse } from "./fixed_response.ts";

/** Options of {@linkcode Problem}. */
export interface ProblemOptions {
  /** HTTP status code, 400 or more. */
  readonly status: number;
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly hint?: string | undefined;
  /** Additional members of the JSON object (RFC 9457, 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Additional headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The error response to a request; handlers throw it. */
export class Problem extends AppError {
  override readonly name = "Problem";
  readonly #options: ProblemOptions;

  constructor(options: ProblemOptions) {
    super(options.code, options.message, { hint: options.hint });
    this.#options = options;
  }

  /**
   * Returns the response, as `application/problem+json`.
   *
   * It has no `type`, which means `about:blank`: programs use `code`, which
   * needs no URL.
   */
  toResponse(): FixedResponse {
    const { status, code, message, hint, extensions, headers } = this.#options;
    const body = {
      title: TITLES[status] ?? "Error",
      status,
      code,
      detail: toSentence(message),
      ...(hint !== undefined && { hint: toSentence(hint) }),
      ...extensions,
    };
    return new FixedResponse(JSON.stringify(body), {
      status,
      headers: {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        ...headers,
      },
    });
  }
}

/** Reason phrases of the status codes in use (RFC 9110, 15). */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * Adds a capital letter and a full stop: messages of the protocol have neither.
 * A file name or an address at the start is not changed.
 */
function toSentence(text: string): string {
  const first = /^[a-z]+[ ,]/.test(text)
    ? text.charAt(0).toUpperCase() + text.slice(1)
    : text;
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
