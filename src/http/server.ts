/**
 * The HTTP interface of a server: API, live feed, page and metrics on one port.
 *
 * @module
 */
import type { HttpContext } from "./context.ts";

/**
 * Answers `GET /live`: upgrades to a WebSocket. Who may ask has been checked
 * (token, Host, Origin); that it is an upgrade has not. Implemented in
 * `live/mod.ts`.
 */
export type LiveHandler = (request: Request, context: HttpContext) => Response;

/**
 * Answers `GET /` and `GET /assets/*` (HEAD too); undefined for a path that it
 * does not have. The server adds the security headers (the Content-Security-Policy
 * among them) and leaves all others alone. Implemented in `dashboard/mod.ts`.
 */
export type PageHandler = (
  request: Request,
  context: HttpContext,
) => Response | undefined | Promise<Response | undefined>;

/** The two parts that the server is given. */
export interface HttpParts {
  readonly live: LiveHandler;
  readonly page: PageHandler;
}
