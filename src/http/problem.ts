/** What is wrong with a request, for programs and for people: RFC 9457. */
export interface ProblemDetails {
  /** HTTP status code, 400 or more. */
  readonly status: number;
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly hint?: string | undefined;
  /** Further members of the object. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that cannot be answered as asked; thrown by handlers. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly details: ProblemDetails;

  constructor(details: ProblemDetails) {
    super(details.message);
    this.details = details;
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
  413: "Content Too Large",
  415: "Unsupported Media Type",
  421: "Misdirected Request",
  426: "Upgrade Required",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * Says in `application/problem+json` what is wrong.
 *
 * `type` is left out, which means `about:blank`: `code` tells programs which
 * problem it is, and needs no address on the Internet.
 */
export function problemResponse(details: ProblemDetails): Response {
  const { status, code, message, hint, more, headers } = details;
  const body = {
    title: TITLES[status] ?? "Error",
    status,
    code,
    detail: sentence(message),
    ...(hint !== undefined && { hint: sentence(hint) }),
    ...more,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...headers,
    },
  });
}

/**
 * With a capital and a full stop: the protocol's messages have neither. Names of
 * files and addresses stay as they are.
 */
function sentence(text: string): string {
  const first = /^[a-z]+[ ,]/.test(text)
    ? text.charAt(0).toUpperCase() + text.slice(1)
    : text;
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
