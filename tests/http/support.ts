/**
 * A real server with its HTTP side on a free port. The test plays the broker,
 * and may let the store fail.
 *
 * @module
 */
import { httpContext } from "../../src/cli/commands/server/http_context.ts";
import { type AgeingOptions, OccupancyMap } from "../../src/grid/mod.ts";
import type { HttpContext, Plan } from "../../src/http/mod.ts";
import { HttpServer, type HttpServerOptions } from "../../src/http/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { type Entry, StoreError } from "../../src/store/store.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";

/** A store that fails when it is told to. */
export class FailingStore extends MemoryStore {
  failing = false;

  override commit(entries: readonly Entry[] = []): void {
    if (this.failing && entries.length > 0) {
      throw new StoreError("The disk is full");
    }
  }
}

/** How a {@linkcode TestServer} is set up. */
export interface TestServerOptions
  extends Partial<Pick<HttpServerOptions, "token" | "limits" | "parts">> {
  readonly ageing?: AgeingOptions;
  readonly plans?: ReadonlyMap<string, Plan>;
  readonly clock?: () => number;
  /** What the server is joined by; the test is the broker behind it. */
  readonly link?: FakeLink;
  /** Whether the server is started. Default true. */
  readonly started?: boolean;
}

/** A server, and ways to ask it. */
export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly server: Server;
  readonly link: FakeLink;
  readonly store: FailingStore;
  readonly map: OccupancyMap;
  readonly context: HttpContext;
  readonly log: string[];
  /** Asks for a path of it. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Asks for a path of it, and reads the JSON of the answer. */
  // deno-lint-ignore no-explicit-any
  json(path: string, init?: RequestInit): Promise<any>;
  /** Sends readings. */
  post(body: BodyInit, query?: string, init?: RequestInit): Promise<Response>;
  /** A message with readings, as the broker hands it over. */
  publish(payload: string, layer?: string): void;
}

/** Starts one. */
export async function startServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  const { token, limits, parts, ageing, plans = new Map(), clock } = options;
  const log: string[] = [];
  const { link = new FakeLink() } = options;
  const store = new FailingStore();
  const map = new OccupancyMap(ageing);
  const topics = new Topics();
  const name = "me";
  const server = new Server({
    link,
    store,
    map,
    topics,
    name,
    version: "1.2.3",
    log: { info: (line) => log.push(line), warn: (line) => log.push(line) },
    ...(clock !== undefined && { clock }),
  });
  const ending = new AbortController();
  const context = httpContext(
    { server, link, store, map, topics, name },
    plans,
    ending.signal,
  );
  const http = new HttpServer({
    hostname: "127.0.0.1",
    port: 0,
    context,
    token,
    ...(limits && { limits }),
    ...(parts && { parts }),
    warn: (line) => log.push(line),
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
    log,
    get,
    json: async (path, init) => await (await get(path, init)).json(),
    post: (body, query = "", init = {}) =>
      get(`/api/v1/readings${query}`, { method: "POST", body, ...init }),
    publish: (payload, layer) =>
      link.handlers.message(incoming(topics.data(layer), payload)),
    [Symbol.asyncDispose]: async () => {
      for (const { bodyUsed, body } of responses) {
        if (!bodyUsed) await body?.cancel(); // what a test did not look at
      }
      ending.abort();
      await http.close();
      await server.stop();
    },
  };
}
