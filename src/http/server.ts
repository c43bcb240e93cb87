/**
 * The HTTP interface of a server: API, live feed, page and metrics on one port.
 *
 * @module
 */
import type { HttpContext } from "./context.ts";
import { type LimitOptions, Limits } from "./limits.ts";
import { Metrics } from "./metrics/metrics.ts";
import type { HttpParts } from "./parts.ts";
import { Problem, problemResponse } from "./problem.ts";
import { Rates } from "./rates.ts";
import type { Route } from "./route.ts";
import { allowed, route } from "./router.ts";
import { makeRoutes } from "./routes.ts";
import { Guard } from "./security/guard.ts";
import { secured } from "./security/headers.ts";
import type { Token } from "./security/token.ts";

export type { HttpParts, LiveHandler, PageHandler } from "./parts.ts";

/** What an {@linkcode HttpServer} is given. */
export interface HttpServerOptions {
  /** Where to listen. Beyond this machine only with a token. */
  readonly hostname: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly context: HttpContext;
  /** Who asks must show it; without one, only this machine may ask. */
  readonly token?: Token | undefined;
  readonly parts?: HttpParts;
  readonly limits?: LimitOptions;
  /** Told of faults of ours. */
  readonly warn: (line: string) => void;
}

/** How long requests under way may take to end when the server does, ms. */
const FAREWELL = 2000;
/** How often the rates are looked at, ms. */
const SAMPLE = 1000;

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "OPTIONS"];

/** Answers over HTTP for as long as it lives. */
export class HttpServer {
  readonly #context: HttpContext;
  readonly #routes: readonly Route[];
  readonly #guard: Guard;
  readonly #limits: Limits;
  readonly #metrics: Metrics;
  readonly #rates = new Rates();
  readonly #warn: (line: string) => void;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #abort = new AbortController();
  readonly #sampling: ReturnType<typeof setInterval>;

  /**
   * Listens at once.
   *
   * @throws {Deno.errors.AddrInUse} if the port is taken
   * @throws {Deno.errors.AddrNotAvailable} if this machine has no such address
   */
  constructor(options: HttpServerOptions) {
    const { context, token, parts = {}, hostname, port } = options;
    this.#context = context;
    this.#warn = options.warn;
    this.#routes = makeRoutes(parts, {
      version: context.version,
      token: token !== undefined,
    });
    this.#guard = new Guard(token);
    this.#limits = new Limits(options.limits);
    this.#metrics = new Metrics(context, this.#limits);
    this.#server = Deno.serve({
      hostname,
      port,
      signal: this.#abort.signal,
      onListen: () => {},
      onError: (error) => this.#fault(error),
    }, (request) => this.#answer(request));
    this.#sample();
    this.#sampling = setInterval(() => this.#sample(), SAMPLE);
  }

  /** Where it listens. */
  get address(): Deno.NetAddr {
    return this.#server.addr;
  }

  /**
   * Takes no more requests and ends. Streams and viewers end by the signal of
   * the context: abort that first. Safe to call twice.
   */
  async close(): Promise<void> {
    clearInterval(this.#sampling);
    const deadline = setTimeout(() => this.#abort.abort(), FAREWELL);
    await this.#server.shutdown();
    clearTimeout(deadline);
  }

  async #answer(request: Request): Promise<Response> {
    const began = performance.now();
    const asked = { route: "none" };
    const response = secured(await this.#respond(request, asked));
    const method = METHODS.includes(request.method) ? request.method : "other";
    const took = performance.now() - began;
    this.#metrics.answered(method, asked.route, response.status, took);
    return request.method === "HEAD" ? withoutBody(response) : response;
  }

  /** @param asked is told the route, for the metrics */
  async #respond(
    request: Request,
    asked: { route: string },
  ): Promise<Response> {
    let release = () => {};
    try {
      release = this.#limits.take("requests");
      const url = new URL(request.url);
      const instead = this.#guard.check(request, url);
      if (instead !== undefined) return instead;
      const found = route(this.#routes, request.method, url.pathname);
      if (found === undefined) return this.#options(url.pathname);
      asked.route = found.route.path;
      if (found.route.needsMap && !this.#context.loaded()) throw starting();
      return await found.route.handle({
        request,
        url,
        params: found.params,
        context: this.#context,
        metrics: this.#metrics,
        limits: this.#limits,
        rates: this.#rates,
      });
    } catch (error) {
      return error instanceof Problem
        ? problemResponse(error.details)
        : this.#fault(error);
    } finally {
      release();
    }
  }

  #options(pathname: string): Response {
    return new Response(null, {
      status: 204,
      headers: { allow: allowed(this.#routes, pathname) },
    });
  }

  /** A fault of ours: told in the log, not to strangers. */
  #fault(error: unknown): Response {
    const reason = error instanceof Error ? error.stack : String(error);
    this.#warn(`A request over HTTP failed: ${reason}`);
    return problemResponse({
      status: 500,
      code: "fault",
      message: "Something went wrong in the server",
      hint: "Its log tells what.",
    });
  }

  #sample(): void {
    this.#rates.sample(this.#context.counts, performance.now());
  }
}

function starting(): Problem {
  return new Problem({
    status: 503,
    code: "starting",
    message: "The map is not loaded yet",
    hint: "Ask again in a moment.",
    headers: { "retry-after": "1" },
  });
}

function withoutBody(response: Response): Response {
  response.body?.cancel().catch(() => {});
  const { status, headers } = response;
  return new Response(null, { status, headers });
}
