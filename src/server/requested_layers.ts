/**
 * Which layers requests are about.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import { parseRequest, RequestError } from "../protocol/mod.ts";
import type { ServerContext } from "./context.ts";

/**
 * Returns the layers of requests; undefined for all: a request for zones or
 * sources is about all layers. Invalid requests are about none.
 */
export function requestedLayers(
  { topics }: Pick<ServerContext, "topics">,
  requests: readonly Incoming[],
): ReadonlySet<string> | undefined {
  const layers = new Set<string>();
  for (const { payload, responseTopic } of requests) {
    try {
      const request = parseRequest(payload, { topics, responseTopic });
      if (!("layer" in request)) return undefined;
      layers.add(request.layer);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
  }
  return layers;
}
