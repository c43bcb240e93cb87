/**
 * Starts a server in this process, with a real broker.
 *
 * @module
 */
import type { OccupancyMap } from "../../src/grid/mod.ts";
import type { Link } from "../../src/mqtt/link.ts";
import type {
  CellLimits,
  Server,
  ServerOptions,
} from "../../src/server/mod.ts";
import { serverLog } from "./server_log.ts";
import { type Mosquitto, startMosquitto } from "./mosquitto.ts";

/** The two kinds of broker that a server supports. */
export type BrokerKind = "mosquitto" | "embedded";
export const BROKERS: readonly BrokerKind[] = ["mosquitto", "embedded"];

/** A server in this process, and its broker. */
export interface System extends AsyncDisposable {
  readonly kind: BrokerKind;
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly map: OccupancyMap;
  /** The lines that the server has logged. */
  readonly log: readonly string[];
}

/** Options of {@linkcode startSystem}. */
export interface SystemOptions {
  readonly cellLimits?: CellLimits;
  readonly clock?: () => number;
  /** How a history is recorded. Default: none is. */
  readonly history?: ServerOptions["history"];
  /** Shards of the map. Default 1. */
  readonly shards?: number;
  /**
   * Called with the broker's port before the server starts; for Mosquitto only.
   */
  readonly beforeServer?: (port: number) => Promise<void>;
}

const NAME = "server-under-test";

/** Starts a server with the memory store and a broker. */
export async function startSystem(
  kind: BrokerKind,
  { clock, cellLimits, beforeServer, history, shards = 1 }: SystemOptions = {},
): Promise<System> {
  const { OccupancyMap } = await import("../../src/grid/mod.ts");
  const { Topics } = await import("../../src/protocol/mod.ts");
  const { Server, offlineState } = await import(
    "../../src/server/mod.ts"
  );
  const { MemoryStore } = await import("../../src/store/memory.ts");
  const topics = new Topics();
  const subscriptions = topics.serverSubscriptions(NAME);
  const log: string[] = [];
  const map = new OccupancyMap({ maxSkew: 60_000 }, { shards });
  const createServer = (link: Link) =>
    new Server({
      link,
      store: new MemoryStore(),
      map,
      topics,
      name: NAME,
      version: "0.0.0",
      log: serverLog((line) => log.push(line)),
      history,
      ...(clock && { clock }),
      ...(cellLimits && { cellLimits }),
    });

  let mosquitto: Mosquitto | undefined;
  let server: Server;
  let port: number;
  if (kind === "mosquitto") {
    const { Connection } = await import("../../src/mqtt/connection.ts");
    mosquitto = await startMosquitto(["set_tcp_nodelay true"]);
    port = mosquitto.port;
    await beforeServer?.(port);
    server = createServer(
      new Connection({
        url: mosquitto.url,
        clientId: NAME,
        subscriptions,
        retainAsPublished: [topics.dataFilter],
        liveSubscriptions: topics.serverLiveSubscriptions(),
        will: { topic: topics.state, payload: offlineState(NAME, "0.0.0") },
      }),
    );
    await server.start();
  } else {
    const { createBroker } = await import("../../src/broker/broker.ts");
    const broker = createBroker({
      host: "127.0.0.1",
      port: 0,
      subscriptions,
      runs: [topics.dataFilter],
      reserved: topics.serverOnlyFilters,
      peerTopic: topics.state,
    });
    server = createServer(broker);
    await server.start();
    port = broker.address.port;
  }
  return {
    kind,
    port,
    url: `mqtt://127.0.0.1:${port}`,
    server,
    map,
    log,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await mosquitto?.[Symbol.asyncDispose]();
    },
  };
}
