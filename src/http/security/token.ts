/**
 * The access token of HTTP: checks requests, and creates the cookie of
 * browsers.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const COOKIE_NAME = "occupancy_session";
/** How long a browser keeps the cookie: 90 days. */
const COOKIE_MAX_AGE_S = 90 * 86_400;
/** Minimum number of characters: shorter tokens can be guessed. */
export const MIN_TOKEN_LENGTH = 16;

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
    this.#session = createHmac("sha256", token).update(COOKIE_NAME)
      .digest("hex");
  }

  /** Returns true if a request has the token or the cookie. */
  authorizes({ headers }: Request): boolean {
    const bearer = /^Bearer +(\S+) *$/i.exec(
      headers.get("authorization") ?? "",
    )?.[1];
    if (bearer !== undefined) return this.matches(bearer);
    const cookie = cookieOf(headers.get("cookie") ?? "");
    return cookie !== undefined &&
      timingSafeEqual(digest(cookie), digest(this.#session));
  }

  /** Returns true if the text is the token. */
  matches(candidate: string): boolean {
    return timingSafeEqual(digest(candidate), this.#digest);
  }

  /**
   * Returns the Set-Cookie header for a browser that presented the token.
   *
   * @param secure true if the browser uses TLS: then it sends the cookie over
   * TLS only
   */
  cookieHeader(secure: boolean): string {
    return `${COOKIE_NAME}=${this.#session}; Path=/; Max-Age=${COOKIE_MAX_AGE_S}; HttpOnly; SameSite=Strict${
      secure ? "; Secure" : ""
    }`;
  }
}

function cookieOf(header: string): string | undefined {
  for (const pair of header.split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE_NAME) return value;
  }
  return undefined;
}

/** Returns a digest of fixed length, so that a comparison reveals nothing. */
function digest(text: string): Uint8Array {
  return createHmac("sha256", "occupancy").update(text).digest();
}
