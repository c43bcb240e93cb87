/**
 * The access token of HTTP: checks requests, and creates the cookie of
 * browsers.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * Followed by a part of the token's digest: cookies do not depend on the port,
 * so a browser that uses two servers of one host needs two names.
 */
const COOKIE_PREFIX = "occupancy_";
const COOKIE_DIGEST_LENGTH = 12;
/** How long a browser keeps the cookie: 90 days. */
const COOKIE_MAX_AGE_S = 90 * 86_400;
/** Minimum number of characters: shorter tokens can be guessed. */
export const MIN_TOKEN_LENGTH = 16;

/** Where the browser that receives a cookie shows the page. */
export interface CookieScope {
  /** True if the browser uses TLS: then it sends the cookie over TLS only. */
  readonly secure: boolean;
  /** True if pages of other sites may show the page in a frame. */
  readonly embedded: boolean;
}

/**
 * What a request has: the token or its cookie, a wrong one, or none. The name
 * of a cookie depends on the token, so the cookie of another token is none.
 */
export type TokenCheck = "right" | "wrong" | "none";

/**
 * Checks the token of requests: `Authorization: Bearer TOKEN` (RFC 6750), or a
 * cookie that a browser received for it.
 *
 * Compares digests only, in constant time. The cookie is a digest too: no
 * browser stores the token.
 */
export class Token {
  readonly #digest: Uint8Array;
  readonly #session: string;
  readonly #cookieName: string;

  /**
   * @param token at least {@linkcode MIN_TOKEN_LENGTH} printable characters
   * without spaces
   * @throws {RangeError} if it is shorter or has other characters
   */
  constructor(token: string) {
    if (token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
      throw new RangeError(
        `Cannot use the token: expected at least ${MIN_TOKEN_LENGTH} printable ASCII characters without spaces`,
      );
    }
    this.#digest = digest(token);
    this.#session = keyedDigest(token, "occupancy_session");
    this.#cookieName = COOKIE_PREFIX +
      keyedDigest(token, "cookie name").slice(0, COOKIE_DIGEST_LENGTH);
  }

  /** Returns whether a request has the token or the cookie. */
  check({ headers }: WebRequest): TokenCheck {
    const bearer = /^Bearer +(\S+) *$/i.exec(
      headers.get("authorization") ?? "",
    )?.[1];
    if (bearer !== undefined) return this.matches(bearer) ? "right" : "wrong";
    const cookie = cookieOf(headers.get("cookie") ?? "", this.#cookieName);
    if (cookie === undefined) return "none";
    return timingSafeEqual(digest(cookie), digest(this.#session))
      ? "right"
      : "wrong";
  }

  /** Returns true if the text is the token. */
  matches(candidate: string): boolean {
    return timingSafeEqual(digest(candidate), this.#digest);
  }

  /** Returns true if the other token is the same text. */
  equals(other: Token): boolean {
    return timingSafeEqual(this.#digest, other.#digest);
  }

  /**
   * Returns the Set-Cookie header for a browser that presented the token.
   *
   * It has no Path: the browser takes that of its own address, which behind a
   * proxy may have a prefix. SameSite=Lax lets links from other sites open the
   * page. In a frame of another site only SameSite=None works, which browsers
   * accept over TLS only; Partitioned keeps it apart for each such site.
   */
  cookieHeader({ secure, embedded }: CookieScope): string {
    const scope = secure && embedded
      ? "SameSite=None; Secure; Partitioned"
      : `SameSite=Lax${secure ? "; Secure" : ""}`;
    return `${this.#cookieName}=${this.#session}; Max-Age=${COOKIE_MAX_AGE_S}; HttpOnly; ${scope}`;
  }
}

/** Returns the value of a cookie; undefined if the header does not have it. */
function cookieOf(header: string, wanted: string): string | undefined {
  for (const pair of header.split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === wanted) return value;
  }
  return undefined;
}

/** Returns a digest of fixed length, so that a comparison reveals nothing. */
function digest(text: string): Uint8Array {
  return createHmac("sha256", "occupancy").update(text).digest();
}

function keyedDigest(token: string, purpose: string): string {
  return createHmac("sha256", token).update(purpose).digest("hex");
}
