/**
 * The HTTP server: listens, checks the access of each request, dispatches it to
 * its route and answers errors.
 *
 * @module
 */
import { clientNetwork } from "../common/client_network.ts";
import type { Share } from "./budget.ts";
import type { HttpContext } from "./context.ts";
import { Exchange, type PaceOptions } from "./exchange.ts";
import { FairTurns } from "./fair_turns.ts";
import { LiveFeed, type ViewerCounts } from "./feed/live_feed.ts";
import type { FeedLimits } from "./feed/limits.ts";
import type { ConnectionLimits } from "../common/connection_budget.ts";
import type { Incoming } from "./listener/incoming.ts";
import { HttpListener } from "./listener/listener.ts";
import type { ListenerTimeouts } from "./listener/timeouts.ts";
import { type LimitOptions, Limits, overloaded } from "./limits.ts";
import { Metrics } from "./metrics/metrics.ts";
import { Rates } from "./metrics/rates.ts";
import { Problem } from "./problem.ts";
import { urlOf } from "./request_url.ts";
import { allowedMethods, findRoute } from "./router.ts";
import { ROUTES } from "./routes.ts";
import { Guard } from "./security/guard.ts";
import type { Token } from "./security/token.ts";
import type { LoginFailures } from "../common/login_failures.ts";

/** Options of {@linkcode HttpServer}. */
export interface HttpServerOptions {
  /** The address to listen on; if it is not loopback, a token is required. */
  readonly hostname: string;
  /** The port; 0 for any free port. */
  readonly port: number;
  readonly context: HttpContext;
  /**
   * The token that requests must have. Default: none, only this machine has
   * access.
   */
  readonly token?: Token | undefined;
  /**
   * Origins whose pages may show the dashboard in a frame, such as
   * `https://home.example`. Default: none.
   */
  readonly embedOrigins?: readonly string[] | undefined;
  readonly limits?: LimitOptions | undefined;
  /** When a client is slow. */
  readonly pace?: PaceOptions | undefined;
  /** Budgets of connections. */
  readonly connectionLimits?: ConnectionLimits | undefined;
  /** Time limits of connections. */
  readonly timeouts?: ListenerTimeouts | undefined;
  /** Limits of the live feed. */
  readonly feedLimits?: Partial<FeedLimits> | undefined;
  /** The delays of wrong tokens. Default: those of a new one. */
  readonly wrongTokens?: LoginFailures | undefined;
  /** Logs a warning that any client can cause, at a limited rate a kind. */
  readonly warnLimited: (kind: string, line: string) => void;
}

/**
 * How long requests in progress may take after {@linkcode HttpServer.close}.
 */
const CLOSE_TIMEOUT_MS = 2000;
const SAMPLE_INTERVAL_MS = 1000;

/** Methods with their own label in the metrics; the others have `other`. */
const METHODS: readonly string[] = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
];

/**
 * Answers HTTP requests from {@linkcode HttpServer.open} to
 * {@linkcode HttpServer.close}.
 */
export class HttpServer {
  readonly #context: HttpContext;
  readonly #guard: Guard;
  readonly #limits: Limits;
  readonly #pace: PaceOptions | undefined;
  readonly #turns: FairTurns;
  /** Requests until now. */
  #requests = 0;
  readonly #rates = new Rates();
  readonly #feed: LiveFeed;
  readonly #metrics: Metrics;
  readonly #warnLimited: (kind: string, line: string) => void;
  readonly #sampling: ReturnType<typeof setInterval>;
  #listener: HttpListener | undefined;

  /**
   * Starts to listen.
   *
   * @throws {Error} of the system if it cannot, with the `code` EADDRINUSE,
   * EADDRNOTAVAIL, EACCES…
   */
  static async open(options: HttpServerOptions): Promise<HttpServer> {
    const server = new HttpServer(options);
    const { hostname, port, connectionLimits, timeouts } = options;
    try {
      server.#listener = await HttpListener.open({
        hostname,
        port,
        answer: (incoming) => server.#answer(incoming),
        responseHeaders: server.#guard.responseHeaders,
        reached: server.#limits.reached,
        limits: connectionLimits,
        timeouts,
      });
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  private constructor(options: HttpServerOptions) {
    const { context, token, limits, feedLimits } = options;
    const { embedOrigins = [] } = options;
    this.#context = context;
    this.#warnLimited = options.warnLimited;
    this.#limits = new Limits(limits);
    this.#guard = new Guard({
      token,
      embedOrigins,
      reached: this.#limits.reached,
      signal: context.signal,
      warnLimited: options.warnLimited,
      wrongTokens: options.wrongTokens,
    });
    this.#pace = options.pace;
    this.#turns = new FairTurns(() =>
      this.#requests + context.counts.messages + context.counts.requests
    );
    this.#feed = new LiveFeed(
      context,
      this.#rates,
      this.#limits.viewers,
      feedLimits,
    );
    this.#metrics = new Metrics({
      context,
      limits: this.#limits,
      viewers: this.#feed.viewers,
      connections: () => this.#listener?.connections ?? 0,
    });
    this.#sample();
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
  }

  /** The address on which the server listens. */
  get address(): { readonly hostname: string; readonly port: number } {
    return this.#listener!.address;
  }

  /** False in Deno 2.6, where connections have no budgets and time limits. */
  get limitsConnections(): boolean {
    return this.#listener!.limitsConnections;
  }

  /**
   * Replaces the token, and ends viewers and streams that used another one.
   * Only for a server that has one.
   */
  setToken(token: Token): void {
    if (this.#guard.setToken(token)) this.#feed.revokeAccess();
  }

  /** The viewers of the live feed and what was sent to them. */
  get viewers(): Readonly<ViewerCounts> {
    return this.#feed.viewers;
  }

  /**
   * Stops accepting requests and waits for those in progress. Abort the signal
   * of the context first: it closes streams and viewers. Safe to call twice.
   */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    this.#feed.stop();
    await this.#listener?.close(CLOSE_TIMEOUT_MS);
  }

  async #answer(incoming: Incoming): Promise<Response> {
    this.#requests++;
    const start = performance.now();
    const { method } = incoming;
    const matched = { route: "none" };
    const exchange = new Exchange(
      clientNetwork(incoming.address),
      this.#pace,
      () => incoming.disconnect(),
    );
    const response = await this.#respond(incoming, exchange, matched);
    this.#metrics.observeRequest({
      method: METHODS.includes(method) ? method : "other",
      route: matched.route,
      status: response.status,
      ms: performance.now() - start,
    });
    return method === "HEAD" ? withoutBody(response) : response;
  }

  /** @param matched receives the path of the route, for the metrics */
  async #respond(
    incoming: Incoming,
    exchange: Exchange,
    matched: { route: string },
  ): Promise<Response> {
    const { address, upgrade } = incoming;
    let share: Share | undefined;
    try {
      const { requests } = this.#limits;
      share = await requests.take(exchange, 1);
      if (share === undefined) throw overloaded("requests");
      const url = urlOf(incoming);
      const request = incoming.toRequest(url);
      const guardResponse = this.#guard.check(request, url, address);
      if (guardResponse !== undefined) return await guardResponse;
      const match = findRoute(ROUTES, request.method, url.pathname);
      if (match === undefined) return answerOptions(url.pathname);
      matched.route = match.route.path;
      if (match.route.needsMap && !this.#context.loaded()) throw starting();
      return await match.route.handle({
        request,
        url,
        params: match.params,
        address,
        exchange,
        upgrade,
        acceptProblem: this.#listener?.problem,
        server: this.#context,
        limits: this.#limits,
        turns: this.#turns,
        metrics: this.#metrics,
        rates: this.#rates,
        feed: this.#feed,
        guard: this.#guard,
      });
    } catch (error) {
      return error instanceof Problem
        ? error.toResponse()
        : this.#answerFault(error);
    } finally {
      share?.release();
    }
  }

  /** Answers after a bug: the details are for the log, not for the client. */
  #answerFault(error: unknown): Response {
    const reason = error instanceof Error ? error.stack : String(error);
    this.#warnLimited("http-fault", `An HTTP request failed: ${reason}`);
    return new Problem({
      status: 500,
      code: "fault",
      message: "Internal error of the server",
      hint: "The log of the server has the details.",
    }).toResponse();
  }

  #sample(): void {
    this.#rates.sample(this.#context.counts, performance.now());
  }
}

function answerOptions(pathname: string): Response {
  return new Response(null, {
    status: 204,
    headers: { allow: allowedMethods(ROUTES, pathname) },
  });
}

function starting(): Problem {
  return new Problem({
    status: 503,
    code: "starting",
    message: "The map is not loaded yet",
    hint: "Try again in a moment.",
    headers: { "retry-after": "1" },
  });
}

function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => {});
  const { status, headers } = response;
  return new Response(null, { status, headers });
}
