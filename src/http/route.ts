/**
 * What a route is made of, and what its handler receives.
 *
 * @module
 */
import type { HttpContext } from "./context.ts";
import type { LiveFeed } from "./feed/feed.ts";
import type { Limits } from "./limits.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Rates } from "./metrics/rates.ts";
import type { Operation } from "./openapi/schemas.ts";
import type { PathParams, RoutePath } from "./router.ts";

/** One request, and what its handler needs to answer it. */
export interface RequestContext {
  readonly request: Request;
  readonly url: URL;
  readonly params: PathParams;
  /** The occupancy server. */
  readonly server: HttpContext;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly rates: Rates;
  readonly feed: LiveFeed;
  /** True if requests need a token. */
  readonly tokenRequired: boolean;
}

/** What a path of the API does, and its description. */
export interface Endpoint {
  /** For `GET /openapi.json`. */
  readonly operation: Operation;
  /** True if it reads the map: until that is loaded, the answer is 503. */
  readonly needsMap: boolean;
  /**
   * Answers a request. A HEAD request is handled as GET; the server removes the
   * body.
   *
   * @throws {Problem} the error to answer with
   */
  handle(context: RequestContext): Response | Promise<Response>;
}

/** An endpoint with its method and path. */
export type Route = RoutePath & Endpoint;

/** The route `GET path`. */
export function get(path: string, endpoint: Endpoint): Route {
  return { method: "GET", path, ...endpoint };
}

/** The route `POST path`. */
export function post(path: string, endpoint: Endpoint): Route {
  return { method: "POST", path, ...endpoint };
}
