/**
 * Describes the routes in OpenAPI 3.1.
 *
 * @module
 */
import type { Route } from "../endpoint.ts";
import { type Operation, PROBLEM } from "./schemas.ts";

/** Options of {@linkcode describeRoutes}. */
export interface DocumentOptions {
  /** The version of occupancy. */
  readonly version: string;
  /** True if requests need a token. */
  readonly tokenRequired: boolean;
}

/**
 * Describes routes in OpenAPI 3.1. The server dispatches by the same table, so
 * the description is complete and correct.
 */
export function describeRoutes(
  routes: readonly Route[],
  { version, tokenRequired }: DocumentOptions,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, operation } of routes) {
    // OpenAPI has no notation for `/*`: the rest of the path is one name.
    const item = paths[path.replace("*", "{file}")] ??= {};
    item[method.toLowerCase()] = describe(
      method,
      path,
      operation,
      tokenRequired,
    );
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "occupancy",
      version,
      summary: "A live occupancy map",
      description:
        "Receives readings and returns the latest value of every coordinate. The reference is docs/HTTP.md.",
      license: { name: "MIT", identifier: "MIT" },
    },
    // Relative to the address of this document: a proxy may add a prefix.
    servers: [{ url: "." }],
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      ...(tokenRequired && {
        securitySchemes: { token: { type: "http", scheme: "bearer" } },
      }),
    },
    ...(tokenRequired && { security: [{ token: [] }] }),
  };
}

function describe(
  method: string,
  path: string,
  operation: Operation,
  tokenRequired: boolean,
): Record<string, unknown> {
  const { summary, description, parameters, body, responses, isPublic } =
    operation;
  return {
    operationId: operationIdOf(method, path),
    summary,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, ...body } }),
    responses,
    ...(tokenRequired && isPublic === true && { security: [] }),
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
