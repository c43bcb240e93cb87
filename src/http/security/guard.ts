/**
 * Decides which requests are allowed, and sets the headers that restrict what
 * browsers do with the responses.
 *
 * @module
 */
import { Problem } from "../problem.ts";
import { isNavigation, login, tokenForm } from "./login.ts";
import { checkHost, checkSameOrigin } from "./origin.ts";
import type { Token } from "./token.ts";

/** The path without a token: supervisors have none, and it reveals nothing. */
const PUBLIC_PATH = "/healthz";

/** Checks each request before the server finds its route. */
export class Guard {
  #token: Token | undefined;

  /** @param token undefined: only this machine has access */
  constructor(token: Token | undefined) {
    this.#token = token;
  }

  /** Replaces the token. */
  setToken(token: Token): void {
    this.#token = token;
  }

  /**
   * Checks a request.
   *
   * @returns undefined if it is allowed, otherwise the response to send
   * @throws {Problem} 401, 403, 421
   */
  check(request: Request, url: URL): Response | undefined {
    if (url.pathname === PUBLIC_PATH) return undefined;
    if (this.#token === undefined) checkHost(request, url);
    // A page of another origin may neither send readings nor open the feed.
    if (request.method === "POST" || url.pathname === "/live") {
      checkSameOrigin(request, url);
    }
    if (this.#token === undefined) return undefined;
    const loginResponse = login(request, url, this.#token);
    if (loginResponse !== undefined) return loginResponse;
    if (this.#token.authorizes(request)) return undefined;
    if (isNavigation(request)) return tokenForm();
    throw new Problem({
      status: 401,
      code: "no-token",
      message: "This server requires a token",
      hint: "Send the header Authorization: Bearer TOKEN.",
      headers: { "www-authenticate": 'Bearer realm="occupancy"' },
    });
  }
}

/**
 * Pages load nothing from other addresses, run no inline scripts, and cannot be
 * put into a frame (Content Security Policy Level 3).
 */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const SECURITY_HEADERS: readonly (readonly [string, string])[] = [
  ["content-security-policy", CONTENT_SECURITY_POLICY],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["x-frame-options", "DENY"],
  ["cross-origin-resource-policy", "same-origin"],
  ["cross-origin-opener-policy", "same-origin"],
];

/** Sets the headers of every response, except upgrades to a WebSocket. */
export function setSecurityHeaders(response: Response): void {
  if (response.status === 101) return;
  for (const [name, value] of SECURITY_HEADERS) {
    response.headers.set(name, value);
  }
}
