import type { HttpContext } from "./context.ts";
import type { Limits } from "./limits.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Operation } from "./openapi/operation.ts";
import type { Rates } from "./rates.ts";
import type { PathParams, Routed } from "./router.ts";

/** One request on its way to an answer, and what there is to answer it with. */
export interface Ask {
  readonly request: Request;
  readonly url: URL;
  readonly params: PathParams;
  readonly context: HttpContext;
  readonly metrics: Metrics;
  readonly limits: Limits;
  readonly rates: Rates;
}

/** One thing that can be asked, how it is answered, and how that is described. */
export interface Route extends Routed {
  /** Described in `GET /openapi.json`. */
  readonly operation: Operation;
  /** True if it needs the map, and must wait until that is loaded. */
  readonly needsMap: boolean;
  /**
   * Answers it. HEAD is asked as GET; the server leaves the body away.
   *
   * @throws {Problem} what is to be answered instead
   */
  handle(ask: Ask): Response | Promise<Response>;
}
