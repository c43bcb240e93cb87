/**
 * The types of endpoints and routes, and of the context that a handler
 * receives.
 *
 * @module
 */
import type { WebRequest } from "./listener/incoming.ts";
import type { HttpContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { FairTurns } from "./fair_turns.ts";
import type { LiveFeed } from "./feed/live_feed.ts";
import type { Limits } from "./limits.ts";
import type { Upgrade } from "./listener/web_socket.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Rates } from "./metrics/rates.ts";
import type { Operation } from "./openapi/schemas.ts";
import type { Guard } from "./security/guard.ts";
import type { PathParams, RoutePath } from "./router.ts";

/** A request, and the objects that its handler uses. */
export interface RequestContext {
  readonly request: WebRequest;
  readonly url: URL;
  readonly params: PathParams;
  /**
   * The IP address of the connection's other end: the client, or a reverse
   * proxy.
   */
  readonly address: string;
  /** How fast its client sends and reads. */
  readonly exchange: Exchange;
  /** Why no new HTTP connections are accepted, for people; else undefined. */
  readonly acceptProblem: string | undefined;
  /**
   * Turns the connection into a WebSocket; undefined if the request is not a
   * handshake.
   */
  readonly upgrade: Upgrade | undefined;
  /** The occupancy server. */
  readonly server: HttpContext;
  readonly limits: Limits;
  /** Processor time for large responses. */
  readonly turns: FairTurns;
  readonly metrics: Metrics;
  readonly rates: Rates;
  readonly feed: LiveFeed;
  readonly guard: Guard;
}

/** The handler of a path, and its description. */
export interface Endpoint {
  /** For `GET /openapi.json`. */
  readonly operation: Operation;
  /**
   * True if it reads the map: the server answers 503 until the map is loaded.
   */
  readonly needsMap: boolean;
  /**
   * Answers a request. A HEAD request is handled as GET; the server removes the
   * body.
   *
   * @throws {Problem} the error response
   */
  handle(context: RequestContext): Response | Promise<Response>;
}

/** An endpoint with its method and path. */
export type Route = RoutePath & Endpoint;

/** Returns the route `GET path`. */
export function get(path: string, endpoint: Endpoint): Route {
  return { method: "GET", path, ...endpoint };
}

/** Returns the route `DELETE path`. */
export function remove(path: string, endpoint: Endpoint): Route {
  return { method: "DELETE", path, ...endpoint };
}

/** Returns the route `PUT path`. */
export function put(path: string, endpoint: Endpoint): Route {
  return { method: "PUT", path, ...endpoint };
}

/** Returns the route `POST path`. */
export function post(path: string, endpoint: Endpoint): Route {
  return { method: "POST", path, ...endpoint };
}
