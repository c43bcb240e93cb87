/** Starts HTTP for `occupancy server` and connects it to the server. */
import { hostAndPort } from "../../../common/host.ts";
import type { OccupancyMap } from "../../../grid/mod.ts";
import type {
  ClientAccess,
  HttpContext,
  HttpServer,
  Plan,
  Token,
} from "../../../http/mod.ts";
import { AppError, messageOf } from "../../../common/errors.ts";
import type { Link } from "../../../mqtt/link.ts";
import type { Topics } from "../../../protocol/mod.ts";
import type { Server } from "../../../server/mod.ts";
import type { Store } from "../../../store/store.ts";
import type { Webhooks } from "../../../webhooks/mod.ts";
import { VERSION } from "../../version.ts";
import type { HttpSettings } from "./http_settings.ts";
import type { DisplayOf } from "./layer_display.ts";
import type { ServerLog } from "./server_log.ts";
import { sharedStatus } from "./shared_status.ts";

/** The HTTP server of `occupancy server`. */
export interface Http {
  /** Such as `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** Replaces the token; ends dashboards and streams that used another one. */
  setToken(token: Token): void;
  /** Closes streams and dashboards, completes requests. Safe to call twice. */
  close(): Promise<void>;
}

/** The parts of a server that HTTP uses. */
export interface ServerParts {
  readonly server: Server;
  readonly link: Link;
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  readonly name: string;
  /** The floor plans by layer; may change later. */
  readonly plans: ReadonlyMap<string, Plan>;
  readonly displayOf: DisplayOf;
  readonly clientAccess: () => ClientAccess;
  /** Undefined without any. */
  readonly webhooks?: Webhooks | undefined;
}

/**
 * Starts the HTTP server.
 *
 * @param settings address and token
 * @param parts the parts of the server, which need not have started
 * @param log the log
 * @returns undefined if the default address is in use
 * @throws {AppError} if it cannot listen on the address of `--http`
 */
export async function openHttp(
  settings: HttpSettings,
  parts: ServerParts,
  log: Pick<ServerLog, "warn" | "warnLimited">,
): Promise<Http | undefined> {
  const { host, port, isDefault, token } = settings;
  const { embedOrigins, connectionLimits } = settings;
  const { HttpServer } = await import("../../../http/mod.ts");
  const abort = new AbortController();
  const context = httpContext(parts, abort.signal);
  let server: HttpServer;
  try {
    server = await HttpServer.open({
      hostname: host,
      port,
      token,
      embedOrigins,
      connectionLimits,
      context,
      warnLimited: log.warnLimited,
    });
  } catch (error) {
    const failure = listenError(host, port, error);
    if (!isDefault) throw failure;
    log.warn(`No HTTP: ${failure.message}. ${failure.hint}`);
    return undefined;
  }
  if (!server.limitsConnections) {
    log.warn(
      "The number of HTTP connections is not limited: use Deno 2.7 or newer",
    );
  }
  const { address } = server;
  return {
    url: `http://${hostAndPort(address.hostname, address.port)}/`,
    setToken: (token) => server.setToken(token),
    close: async () => {
      abort.abort();
      await server.close();
    },
  };
}

/**
 * Builds the context of HTTP from the parts of a server.
 *
 * @param parts the server's parts
 * @param signal aborted when HTTP ends
 */
export function httpContext(
  parts: ServerParts,
  signal: AbortSignal,
): HttpContext {
  const { server, link, store, map, topics, name, plans } = parts;
  return {
    name,
    version: VERSION,
    topics,
    map,
    counts: server.stats,
    zones: server.zones,
    sources: server.sources,
    history: server.history,
    pruneHistory: (ms) => server.pruneHistory(ms),
    cellLimits: server.cellLimits,
    plans,
    displayOf: parts.displayOf,
    clientAccess: parts.clientAccess,
    started: server.now(),
    signal,
    began: () => server.began,
    clock: () => server.now(),
    refresh: () => server.refresh(),
    loaded: () => server.loaded,
    link: () => ({
      description: link.description,
      mqttVersion: link.mqttVersion,
      brokerCounts: link.brokerCounts,
      brokerState: link.brokerState,
      acceptProblem: link.acceptProblem,
      ...server.linkState,
      connections: server.connections,
    }),
    store: () => ({
      description: store.description,
      durable: store.durable,
      problem: server.storeProblem,
      shared: sharedStatus(store),
    }),
    webhooks: () => parts.webhooks?.status() ?? [],
    submit: (layer, payload, contentType) =>
      server.submit(layer, payload, contentType),
    processed: () => server.processed(),
    caughtUp: (layer) =>
      store.shared?.sync([map.shardOf(layer)]) ?? Promise.resolve(),
    deleteLayer: (layer) => server.deleteLayer(layer),
    observe: (listener) => server.telemetry.observe(listener),
    observeCommits: (listener) => server.telemetry.onCommit = listener,
    observeRequests: (listener) => server.telemetry.onReply = listener,
    sourceOf: (layer, x, y) => server.sourceOf(layer, x, y),
  };
}

function listenError(host: string, port: number, error: unknown): AppError {
  const at = hostAndPort(host, port);
  const { code } = error as { code?: unknown };
  if (code === "EADDRINUSE") {
    return new AppError("address-in-use", `Cannot listen on ${at}: in use`, {
      hint: "Choose another port with --http, or use --no-http.",
      cause: error,
    });
  }
  // EINVAL is what Deno reports for some addresses of other machines.
  const isForeign = code === "EADDRNOTAVAIL" || code === "EINVAL";
  const reason = isForeign
    ? "this machine does not have this address"
    : code === "EACCES"
    ? "permission denied"
    : messageOf(error);
  return new AppError("cannot-listen", `Cannot listen on ${at}: ${reason}`, {
    hint: isForeign
      ? "Use an address of this machine in --http: 127.0.0.1 for this machine only, 0.0.0.0 for all networks."
      : "Use an address of this machine and a port above 1023 in --http HOST:PORT.",
    cause: error,
  });
}
