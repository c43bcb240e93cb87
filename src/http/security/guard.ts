/**
 * Decides which requests are allowed, and sets the headers that restrict what
 * browsers do with the responses.
 *
 * @module
 */
import type { WebRequest } from "../listener/incoming.ts";
import type { LimitCounts } from "../../common/limit_counts.ts";
import type { BodyContext } from "../api/body.ts";
import { Problem } from "../problem.ts";
import {
  askForToken,
  isNavigation,
  loginPage,
  readToken,
  redirectAfterLogin,
  RETRY_AFTER_S,
  TOO_MANY_WRONG_TOKENS,
  usesTls,
  WRONG_TOKEN,
} from "./login.ts";
import { checkCrossSite, checkHost, checkSameOrigin } from "./origin.ts";
import type { Token } from "./token.ts";
import { LoginFailures } from "../../common/login_failures.ts";

/** The path without any check: supervisors have no token and any Host. */
const HEALTH_PATH = "/healthz";
/** The path of the live feed. */
const LIVE_PATH = "/live";
/** Methods that change nothing (RFC 9110, 9.2.1). */
const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];
/** The files of the login page are among them; all are public anyway. */
const ASSETS_PATH = "/assets/";

/** Options of {@linkcode Guard}. */
export interface GuardOptions {
  /** Undefined: only this machine has access. */
  readonly token: Token | undefined;
  /** Origins whose pages may show the server's pages in a frame. */
  readonly embedOrigins: readonly string[];
  /** Counts wrong tokens. */
  readonly reached: LimitCounts;
  /** Aborted when the server ends: delayed answers are then sent at once. */
  readonly signal: AbortSignal;
  /** Logs a warning that any client can cause, at a limited rate a kind. */
  readonly warnLimited: (kind: string, line: string) => void;
  /** Default: a new one with its defaults. */
  readonly wrongTokens?: LoginFailures | undefined;
}

/** A request of the login form. */
export interface LoginContext extends BodyContext {
  readonly url: URL;
  /** Of the other end of the connection. */
  readonly address: string;
}

/** Checks each request before the server finds its route. */
export class Guard {
  #token: Token | undefined;
  #access = new AbortController();
  readonly #options: GuardOptions;
  readonly #wrongTokens: LoginFailures;
  readonly #isEmbedded: boolean;
  readonly #responseHeaders: readonly string[];

  constructor(options: GuardOptions) {
    const { token, embedOrigins, wrongTokens = new LoginFailures() } = options;
    this.#options = options;
    this.#token = token;
    this.#wrongTokens = wrongTokens;
    this.#isEmbedded = embedOrigins.length > 0;
    this.#responseHeaders = securityHeaders(embedOrigins);
  }

  /** True if requests need a token. */
  get tokenRequired(): boolean {
    return this.#token !== undefined;
  }

  /**
   * Aborted when the token changes: a response that does not end must then end.
   * Read it while a request is handled.
   */
  get access(): AbortSignal {
    return this.#access.signal;
  }

  /**
   * Replaces the token.
   *
   * @returns false if the new token is the same
   */
  setToken(token: Token): boolean {
    if (this.#token?.equals(token)) return false;
    this.#token = token;
    this.#access.abort();
    this.#access = new AbortController();
    return true;
  }

  /**
   * Checks a request.
   *
   * @param url the URL of the request, from `urlOf`
   * @param address of the other end of the connection
   * @returns undefined if it is allowed, otherwise the response to send; it
   * rejects with a {@linkcode Problem} (401, 429) after a wrong token
   * @throws {Problem} 401, 403, 421
   */
  check(
    request: WebRequest,
    url: URL,
    address: string,
  ): Promise<Response> | undefined {
    const { method } = request;
    const { pathname } = url;
    if (pathname === HEALTH_PATH) return undefined;
    if (this.#token === undefined) checkHost(request, url);
    const result = this.#token?.check(request);
    this.#checkOrigin(request, url, result === "right");
    if (this.#token === undefined) return undefined;
    if (result === "right") return undefined;
    if (pathname.startsWith(ASSETS_PATH)) return undefined;
    if (method === "POST" && pathname === "/") return undefined; // the login
    if (result === "wrong") return this.#refuseLater(request, url, address);
    if (isNavigation(request)) return askForToken(url);
    throw noToken("This server requires a token");
  }

  /** A page of another origin may neither change anything nor open the feed. */
  #checkOrigin(request: WebRequest, url: URL, authorized: boolean): void {
    const mayChange = !SAFE_METHODS.includes(request.method);
    try {
      if (mayChange || url.pathname === LIVE_PATH) {
        checkSameOrigin(request, url);
      }
      // A browser sends the cookie by itself, but not this header.
      const hasToken = authorized && request.headers.has("authorization");
      checkCrossSite(request, url, hasToken);
    } catch (error) {
      this.#options.reached.add("http-foreign-origin");
      throw error;
    }
  }

  async #refuseLater(
    request: WebRequest,
    url: URL,
    address: string,
  ): Promise<Response> {
    if (!await this.#delayWrongToken(address)) throw tooManyWrongTokens();
    if (isNavigation(request)) return await askForToken(url);
    throw noToken("The token is wrong");
  }

  /** Returns false, without a delay, if too many answers are delayed. */
  async #delayWrongToken(address: string): Promise<boolean> {
    const { reached, signal, warnLimited } = this.#options;
    reached.add("http-wrong-token");
    warnLimited("http-wrong-token", `A wrong HTTP token from ${address}`);
    const waited = await this.#wrongTokens.wait(address, signal);
    if (!waited) reached.add("http-wrong-token-delays");
    return waited;
  }

  /**
   * Answers the form of the login page: sets the cookie and redirects to the
   * page that the browser requested.
   *
   * @throws {Problem} if the body is not that of the form
   */
  async login(context: LoginContext): Promise<Response> {
    const { request, url, address } = context;
    if (this.#token === undefined) return redirectAfterLogin(url);
    const given = await readToken(context);
    // The token may change during the delay.
    const token = this.#token;
    if (!token.matches(given)) {
      if (await this.#delayWrongToken(address)) {
        return await loginPage(url, WRONG_TOKEN);
      }
      return await loginPage(url, TOO_MANY_WRONG_TOKENS, 429);
    }
    const response = redirectAfterLogin(url);
    response.headers.set(
      "set-cookie",
      token.cookieHeader({
        secure: usesTls(request),
        embedded: this.#isEmbedded,
      }),
    );
    return response;
  }

  /** The headers of every response: names and values in turn. */
  get responseHeaders(): readonly string[] {
    return this.#responseHeaders;
  }
}

function noToken(message: string): Problem {
  return new Problem({
    status: 401,
    code: "no-token",
    message,
    hint: "Send the header Authorization: Bearer TOKEN.",
    headers: { "www-authenticate": 'Bearer realm="occupancy"' },
  });
}

/** Closes the connection: each further token needs a new one. */
function tooManyWrongTokens(): Problem {
  return new Problem({
    status: 429,
    code: "too-many-wrong-tokens",
    message: "Too many wrong tokens from this address",
    hint: "Send the right token: it is accepted at once.",
    headers: { "retry-after": RETRY_AFTER_S, connection: "close" },
  });
}

/**
 * Pages load nothing from other addresses, run no inline scripts, and are shown
 * in frames of the given origins only (Content Security Policy Level 3).
 */
function securityHeaders(embedOrigins: readonly string[]): readonly string[] {
  const isEmbedded = embedOrigins.length > 0;
  const policy = [
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
    `frame-ancestors ${isEmbedded ? embedOrigins.join(" ") : "'none'"}`,
  ];
  return [
    ...["content-security-policy", policy.join("; ")],
    ...["x-content-type-options", "nosniff"],
    ...["referrer-policy", "no-referrer"],
    // It cannot name an origin.
    ...(isEmbedded ? [] : ["x-frame-options", "DENY"]),
    ...["cross-origin-resource-policy", "same-origin"],
    ...["cross-origin-opener-policy", "same-origin"],
  ];
}
