import { createHmac, timingSafeEqual } from "node:crypto";

/** The cookie that a browser has after it has shown the token once. */
const COOKIE = "occupancy_session";
/** How long a browser keeps it: 90 days, in seconds. */
const COOKIE_AGE = 90 * 86_400;
/** Shorter tokens can be guessed. */
export const LEAST_TOKEN_LENGTH = 16;

/**
 * The secret that whoever asks must show: as `Authorization: Bearer` (RFC 6750),
 * or as a cookie that was given for it.
 *
 * Only digests are compared, in constant time, and the cookie has a digest too:
 * the token itself is in no browser's store.
 */
export class Token {
  readonly #digest: Uint8Array;
  readonly #session: string;

  /**
   * @param token at least {@linkcode LEAST_TOKEN_LENGTH} characters, none blank
   * @throws {RangeError} if it is not
   */
  constructor(token: string) {
    if (token.length < LEAST_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
      throw new RangeError(
        `Cannot use the token: expected at least ${LEAST_TOKEN_LENGTH} printable characters without blanks`,
      );
    }
    this.#digest = digest(token);
    this.#session = createHmac("sha256", token).update(COOKIE).digest("hex");
  }

  /** Whether a request shows the token, or the cookie. */
  isShown({ headers }: Request): boolean {
    const bearer = /^Bearer +(\S+) *$/i.exec(
      headers.get("authorization") ?? "",
    )?.[1];
    if (bearer !== undefined) return this.matches(bearer);
    const cookie = cookieOf(headers.get("cookie") ?? "");
    return cookie !== undefined &&
      isEqual(digest(cookie), digest(this.#session));
  }

  /** Whether it is the token. */
  matches(candidate: string): boolean {
    return isEqual(digest(candidate), this.#digest);
  }

  /**
   * The Set-Cookie header for a browser that has shown the token.
   *
   * @param secure whether the browser came over TLS: then it never sends it without
   */
  cookie(secure: boolean): string {
    return `${COOKIE}=${this.#session}; Path=/; Max-Age=${COOKIE_AGE}; HttpOnly; SameSite=Strict${
      secure ? "; Secure" : ""
    }`;
  }
}

function cookieOf(header: string): string | undefined {
  for (const pair of header.split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE) return value;
  }
  return undefined;
}

/** Of one length whatever the text, so that comparing tells nothing about it. */
function digest(text: string): Uint8Array {
  return createHmac("sha256", "occupancy").update(text).digest();
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return timingSafeEqual(a, b);
}
