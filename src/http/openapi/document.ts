import type { Route } from "../route.ts";
import type { Operation } from "./operation.ts";
import { PROBLEM } from "./schemas.ts";

/** What the document says of the server as a whole. */
export interface DocumentOptions {
  readonly version: string;
  /** Whether a token is asked for. */
  readonly token: boolean;
}

/**
 * Describes the routes in OpenAPI 3.1: the same table that answers requests, so
 * that what is described is what is there.
 */
export function describeRoutes(
  routes: readonly Route[],
  { version, token }: DocumentOptions,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, operation } of routes) {
    // What is below a path cannot be said in OpenAPI: one name for it.
    const item = paths[path.replace("*", "{file}")] ??= {};
    item[method.toLowerCase()] = describe(method, path, operation, token);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "occupancy",
      version,
      summary: "A live, truthful occupancy map",
      description:
        "Readings in, the latest value of every coordinate out. docs/HTTP.md tells more.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      ...(token && {
        securitySchemes: { token: { type: "http", scheme: "bearer" } },
      }),
    },
    ...(token && { security: [{ token: [] }] }),
  };
}

function describe(
  method: string,
  path: string,
  operation: Operation,
  token: boolean,
): Record<string, unknown> {
  const { summary, description, parameters, body, answers, open } = operation;
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, ...body } }),
    responses: answers,
    ...(token && open === true && { security: [] }),
  };
}

/** `GET /api/v1/cells` is `getCells`. */
function operationIdOf(method: string, path: string): string {
  const words = path.replace("/api/v1", "").split(/\W+/).filter(Boolean);
  const name = words.length === 0 ? ["page"] : words;
  return [
    method.toLowerCase(),
    ...name.map((word) => word[0]!.toUpperCase() + word.slice(1)),
  ].join("");
}
