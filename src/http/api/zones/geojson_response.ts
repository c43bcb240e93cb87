/**
 * Answers with zones as GeoJSON.
 *
 * @module
 */
import type { RequestContext } from "../../endpoint.ts";
import { matchesETag } from "../../responses.ts";
import { textResponse } from "../../text_response.ts";
import { GEO_JSON } from "./schemas.ts";

/**
 * Answers with GeoJSON, or with 304 if the client has that of the ETag.
 *
 * @param write returns the parts, see {@linkcode textResponse}
 */
export function geoJsonResponse(
  context: RequestContext,
  etag: string,
  write: () => Iterable<string>,
): Response | Promise<Response> {
  const headers = new Headers({
    etag,
    "cache-control": "no-cache",
    "content-type": GEO_JSON,
  });
  return matchesETag(context.request.headers.get("if-none-match"), etag)
    ? new Response(null, { status: 304, headers })
    : textResponse(context, write(), headers);
}
