/**
 * The HTTP side of a server: what can be asked and seen without MQTT.
 *
 * It is given an {@linkcode HttpContext} and knows nothing else of the server.
 * docs/HTTP.md is the reference.
 *
 * @module
 */
export type {
  HttpContext,
  LinkStatus,
  StoreStatus,
  Submission,
  ViewerCounts,
} from "./context.ts";
export type { HttpParts, LiveHandler, PageHandler } from "./parts.ts";
export type { Plan, PlanImage } from "./plans/plan.ts";
export { isLoopback } from "./security/origin.ts";
export { LEAST_TOKEN_LENGTH, Token } from "./security/token.ts";
export { HttpServer, type HttpServerOptions } from "./server.ts";
