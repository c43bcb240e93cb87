import type { OccupancyMap } from "../../../grid/mod.ts";
import type { HttpContext, Plan } from "../../../http/mod.ts";
import type { Link } from "../../../mqtt/link.ts";
import type { Topics } from "../../../protocol/mod.ts";
import type { Server } from "../../../server/mod.ts";
import type { Store } from "../../../store/store.ts";
import { VERSION } from "../../version.ts";

/** The parts of a running server. */
export interface ServerParts {
  readonly server: Server;
  readonly link: Link;
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  readonly name: string;
}

/**
 * What the HTTP side sees of a server.
 *
 * @param parts of the server
 * @param plans the floor plans by layer
 * @param signal aborted when the HTTP side ends
 */
export function httpContext(
  { server, link, store, map, topics, name }: ServerParts,
  plans: ReadonlyMap<string, Plan>,
  signal: AbortSignal,
): HttpContext {
  return {
    name,
    version: VERSION,
    topics,
    map,
    counts: server.stats,
    plans,
    started: server.clock(),
    signal,
    began: () => server.began,
    clock: server.clock,
    refresh: () => server.refresh(),
    loaded: () => server.loaded,
    link: () => ({
      description: link.description,
      mqttVersion: link.mqttVersion,
      clients: link.clients,
      ...server.linkState,
    }),
    store: () => ({
      description: store.description,
      durable: store.durable,
      problem: server.storeProblem,
    }),
    submit: (layer, payload, contentType) =>
      server.submit(layer, payload, contentType),
    observe: (listener) => server.observe(listener),
    observeCommits: (listener) => server.observeCommit = listener,
    observeRequests: (listener) => server.observeRequest = listener,
    sourceOf: (layer, x, y) => server.sourceOf(layer, x, y),
  };
}
