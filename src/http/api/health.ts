/**
 * `GET /healthz` and `GET /readyz`, for supervisors and load balancers.
 *
 * @module
 */
import type { HttpContext } from "../context.ts";
import { jsonSpec, object, problemSpec, TEXT } from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import { jsonResponse } from "../responses.ts";
import type { Endpoint } from "../endpoint.ts";

/** `GET /healthz`: restart a process that does not answer. */
export const getHealth: Endpoint = {
  needsMap: false,
  operation: {
    summary: "Whether the process is alive",
    description: "Needs no token.",
    isPublic: true,
    responses: {
      200: jsonSpec(
        "The process is alive",
        object({ status: { const: "alive" }, version: TEXT }),
      ),
    },
  },
  handle: ({ server: { version } }) =>
    jsonResponse({ status: "alive", version }),
};

/** `GET /readyz`: send no readings while the answer is 503. */
export const getReadiness: Endpoint = {
  needsMap: false,
  operation: {
    summary: "Whether the server accepts and stores readings",
    responses: {
      200: jsonSpec(
        "Ready; `warnings` has what is wrong all the same, such as one broker of several that is away",
        object({
          status: { const: "ready" },
          warnings: {
            type: "array",
            items: object({ code: TEXT, message: TEXT }),
          },
        }, ["warnings"]),
      ),
      503: problemSpec("Not ready; `reasons` has the causes"),
    },
  },
  handle({ server, acceptProblem }): Response {
    const reasons = reasonsOf(server, acceptProblem);
    if (reasons.length === 0) {
      const { problem } = server.link();
      return jsonResponse({
        status: "ready",
        ...(problem !== undefined && {
          warnings: [{ code: "broker-down", message: problem }],
        }),
      });
    }
    throw new Problem({
      status: 503,
      code: "not-ready",
      message: reasons.map(({ message }) => message).join("; "),
      hint: "The server retries automatically. Its log has the details.",
      extensions: { reasons },
    });
  },
};

/** A server whose map is older is not ready, in ms. */
const MAX_LAG_MS = 5000;

interface Reason {
  readonly code: string;
  readonly message: string;
}

function reasonsOf(
  server: HttpContext,
  acceptProblem: string | undefined,
): Reason[] {
  const reasons: Reason[] = [];
  const link = server.link();
  const store = server.store();
  if (!server.loaded()) {
    reasons.push({ code: "starting", message: "The map is not loaded yet" });
  }
  if (!link.up) {
    reasons.push({
      code: "broker-down",
      message: link.connections.length > 1 && link.problem !== undefined
        ? link.problem // names the brokers
        : `${link.description}: ${link.problem ?? "not connected"}`,
    });
  }
  if (store.problem !== undefined) {
    reasons.push({ code: "store-failing", message: store.problem });
  }
  if (store.shared !== undefined && store.shared.lag.ms > MAX_LAG_MS) {
    const { entries, ms } = store.shared.lag;
    reasons.push({
      code: "behind",
      message: `This server is ${
        Math.round(ms / 1000)
      } s behind the shared store (${
        entries === 1 ? "1 entry" : `${entries} entries`
      } not applied)`,
    });
  }
  if (link.acceptProblem !== undefined) {
    reasons.push({
      code: "no-mqtt-connections",
      message: `The broker accepts no connections: ${link.acceptProblem}`,
    });
  }
  if (acceptProblem !== undefined) {
    reasons.push({
      code: "no-http-connections",
      message: `HTTP accepts no connections: ${acceptProblem}`,
    });
  }
  return reasons;
}
