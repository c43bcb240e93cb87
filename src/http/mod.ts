/**
 * The HTTP server: API, live feed, dashboard and metrics on one port. It uses
 * the occupancy server only through {@linkcode HttpContext}. docs/HTTP.md is
 * the reference.
 *
 * @module
 */
export type { ClientAccess } from "../feed/messages.ts";
export type {
  HttpContext,
  LinkStatus,
  SharedStatus,
  StoreStatus,
} from "./context.ts";
export type { Plan, PlanImage } from "./plans/plan.ts";
export type { ConnectionLimits } from "../common/connection_budget.ts";
export { MIN_TOKEN_LENGTH, Token } from "./security/token.ts";
export { HttpServer, type HttpServerOptions } from "./server.ts";
