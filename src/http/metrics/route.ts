import type { Ask, Route } from "../route.ts";

/** `GET /metrics`, for Prometheus. */
export const metricsRoute: Route = {
  method: "GET",
  path: "/metrics",
  needsMap: false,
  operation: {
    summary: "Metrics in the text form of Prometheus",
    answers: {
      200: {
        description: "The metrics; docs/HTTP.md tells what they mean",
        content: { "text/plain": { schema: { type: "string" } } },
      },
    },
  },
  async handle({ metrics, context }: Ask): Promise<Response> {
    context.refresh(); // so that what is stale counts as stale
    return new Response(await metrics.render(), {
      headers: {
        "content-type": metrics.contentType,
        "cache-control": "no-store",
      },
    });
  },
};
