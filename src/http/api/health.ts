import type { HttpContext } from "../context.ts";
import { jsonResponse } from "../json.ts";
import { json, object, problem, TEXT } from "../openapi/schemas.ts";
import { Problem } from "../problem.ts";
import type { Ask, Route } from "../route.ts";

/** `GET /healthz`: the process is alive. If it is not, start it again. */
export const healthRoute: Route = {
  method: "GET",
  path: "/healthz",
  needsMap: false,
  operation: {
    summary: "Whether the process is alive",
    description: "Asks for no token.",
    open: true,
    answers: {
      200: json("It is", object({ status: { const: "alive" }, version: TEXT })),
    },
  },
  handle({ context }: Ask): Response {
    return jsonResponse({ status: "alive", version: context.version });
  },
};

/** `GET /readyz`: readings are taken and kept. If not, send no traffic. */
export const readyRoute: Route = {
  method: "GET",
  path: "/readyz",
  needsMap: false,
  operation: {
    summary: "Whether readings are taken and kept",
    answers: {
      200: json("They are", object({ status: { const: "ready" } })),
      503: problem("They are not, for the `reasons` given"),
    },
  },
  handle({ context }: Ask): Response {
    const reasons = reasonsOf(context);
    if (reasons.length === 0) return jsonResponse({ status: "ready" });
    throw new Problem({
      status: 503,
      code: "not-ready",
      message: reasons.map(({ message }) => message).join("; "),
      hint: "The server tries again by itself; its log tells more.",
      more: { reasons },
    });
  },
};

interface Reason {
  readonly code: string;
  readonly message: string;
}

function reasonsOf(context: HttpContext): Reason[] {
  const reasons: Reason[] = [];
  const link = context.link();
  const store = context.store();
  if (!context.loaded()) {
    reasons.push({ code: "starting", message: "The map is not loaded yet" });
  }
  if (!link.up) {
    reasons.push({
      code: "broker-down",
      message: `${link.description}: ${link.problem ?? "not joined"}`,
    });
  }
  if (store.problem !== undefined) {
    reasons.push({ code: "store-failing", message: store.problem });
  }
  return reasons;
}
