/**
 * A real server with HTTP on a free port. The test acts as the broker, and can
 * make the store fail.
 *
 * @module
 */
import { httpContext } from "../../src/cli/commands/server/http.ts";
import { layerDisplay } from "../../src/cli/commands/server/layer_display.ts";
import { type AgeingOptions, OccupancyMap } from "../../src/grid/mod.ts";
import type { HistoryService } from "../../src/history/answers.ts";
import type { ClientAccess } from "../../src/feed/messages.ts";
import type { ViewerCounts } from "../../src/http/feed/live_feed.ts";
import type {
  HttpContext,
  Plan,
  SharedStatus,
  Token,
} from "../../src/http/mod.ts";
import { HttpServer, type HttpServerOptions } from "../../src/http/mod.ts";
import { Topics, type Unit } from "../../src/protocol/mod.ts";
import {
  type CellLimits,
  Server,
  type ServerOptions,
} from "../../src/server/mod.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import type { FakeSharedStore } from "../support/fake_shared_store.ts";
import { FakeStore } from "../support/fake_store.ts";
import { serverLog } from "../support/server_log.ts";

/** Options of {@linkcode startServer}. */
export interface TestServerOptions extends
  Partial<
    Pick<
      HttpServerOptions,
      | "token"
      | "embedOrigins"
      | "limits"
      | "feedLimits"
      | "wrongTokens"
      | "pace"
      | "connectionLimits"
      | "timeouts"
    >
  > {
  readonly ageing?: AgeingOptions;
  /** Shards of the map. Default: those of `sharedStore`, or 1. */
  readonly shards?: number;
  /** A store that other servers share, instead of the server's own. */
  readonly sharedStore?: FakeSharedStore;
  readonly plans?: ReadonlyMap<string, Plan>;
  /** Default: people. */
  readonly unit?: Unit;
  readonly clock?: () => number;
  readonly cellLimits?: CellLimits;
  /** The zones of a file. Default: zones are edited. */
  readonly fileZones?: ServerOptions["fileZones"];
  /** The connection to the broker, which the test controls. */
  readonly link?: FakeLink;
  /** The HTTP port. Default: any free port. */
  readonly port?: number;
  /** Returns the state of a store that several servers share. */
  readonly shared?: () => SharedStatus;
  /** Records a history, in a store in memory. Default: none is recorded. */
  readonly recorded?: ServerOptions["history"];
  /** Answers questions about the past. Default: those of the server. */
  readonly history?: HistoryService;
  /** Whether to start the server. Default true. */
  readonly started?: boolean;
}

/** A server with methods to send requests and readings. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  readonly link: FakeLink;
  readonly store: FakeStore;
  readonly map: OccupancyMap;
  readonly context: HttpContext;
  readonly viewers: Readonly<ViewerCounts>;
  readonly log: string[];
  /** Replaces the token. */
  setToken(token: Token): void;
  /** Sends a request. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a request and reads the JSON of the response. */
  // deno-lint-ignore no-explicit-any
  json(path: string, init?: RequestInit): Promise<any>;
  /** Sends readings over HTTP. */
  post(body: BodyInit, query?: string, init?: RequestInit): Promise<Response>;
  /** Sends readings over MQTT. */
  publish(payload: string, layer?: string): void;
}

/** How clients reach the broker of a test server. */
export const CLIENT_ACCESS: ClientAccess = {
  broker: "mqtt://127.0.0.1:1883",
  needsLogin: false,
  prefix: "occupancy",
  reach: "machine",
};

/** Starts a server. */
export async function startServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { token, embedOrigins, limits, feedLimits, ageing, clock } = options;
  const { pace, wrongTokens, cellLimits } = options;
  const { plans = new Map(), port = 0, fileZones } = options;
  const log: string[] = [];
  const { link = new FakeLink() } = options;
  const store = new FakeStore();
  const { sharedStore, recorded } = options;
  const used = sharedStore ?? (recorded ? new MemoryStore() : store);
  const map = new OccupancyMap(ageing, {
    shards: options.shards ?? sharedStore?.shards ?? 1,
  });
  const topics = new Topics();
  const name = "me";
  const displayOf = layerDisplay(options, plans);
  const clientAccess = () => CLIENT_ACCESS;
  const server = new Server({
    link,
    store: used,
    history: recorded,
    map,
    topics,
    name,
    version: "1.2.3",
    displayOf,
    log: serverLog((line) => log.push(line)),
    fileZones,
    ...(clock !== undefined && { clock }),
    ...(cellLimits !== undefined && { cellLimits }),
  });
  const ending = new AbortController();
  const context = httpContext(
    {
      ...{
        server,
        link,
        store: used,
        map,
        topics,
        name,
        plans,
      },
      ...{ displayOf, clientAccess },
    },
    ending.signal,
  );
  const { shared, history } = options;
  if (history !== undefined) {
    const pruneHistory = () => Promise.resolve();
    Object.assign(context, { history, pruneHistory });
  }
  if (shared !== undefined) {
    const { store } = context;
    context.store = () => ({ ...store(), shared: shared() });
  }
  const http = await HttpServer.open({
    hostname: "127.0.0.1",
    port,
    context,
    token,
    embedOrigins,
    limits,
    feedLimits,
    wrongTokens,
    pace,
    connectionLimits: options.connectionLimits,
    timeouts: options.timeouts,
    warnLimited: (_kind, line) => log.push(line),
  });
  if (options.started !== false) await server.start();
  const url = `http://127.0.0.1:${http.address.port}`;
  const responses: Response[] = [];
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init);
    responses.push(response);
    return response;
  };
  return {
    url,
    server,
    link,
    store,
    map,
    context,
    viewers: http.viewers,
    log,
    setToken: (changed) => http.setToken(changed),
    get,
    json: async (path, init) => await (await get(path, init)).json(),
    post: (body, query = "", init = {}) =>
      get(`/api/v1/readings${query}`, { method: "POST", body, ...init }),
    publish: (payload, layer) =>
      link.handlers.message(incoming(topics.data(layer), payload)),
    [Symbol.asyncDispose]: async () => {
      for (const { bodyUsed, body } of responses) {
        if (!bodyUsed) await body?.cancel(); // not read by the test
      }
      ending.abort();
      await http.close();
      await server.stop();
    },
  };
}
