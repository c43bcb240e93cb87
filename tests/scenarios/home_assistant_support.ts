/** A server that announces its zones, with a store that survives it. */
import type { Link } from "../../src/mqtt/link.ts";
import type { Server } from "../../src/server/mod.ts";
import type { Zone } from "../../src/zones/mod.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { serverLog } from "../support/server_log.ts";
import type { BrokerKind } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";

const NAME = "server-under-test";

/** A broker and a server that can be stopped and started. */
export interface Home extends AsyncDisposable {
  readonly port: number;
  /** Undefined for the embedded broker. */
  readonly mosquitto: Mosquitto | undefined;
  /** The server that runs. */
  readonly server: Server;
  readonly log: readonly string[];
  /** Starts a server; undefined: without --home-assistant. */
  start(prefix?: string | undefined): Promise<void>;
  /** Stops the server, and so the embedded broker. */
  stop(): Promise<void>;
  /** Sends readings as a sensor. */
  send(text: string): Promise<void>;
  /** Replaces the zones. */
  setZones(...zones: readonly Zone[]): Promise<void>;
}

/** Starts a broker. {@linkcode Home.start} starts the server. */
export async function startHome(kind: BrokerKind): Promise<Home> {
  const { Discovery } = await import("../../src/home_assistant/mod.ts");
  const { OccupancyMap } = await import("../../src/grid/mod.ts");
  const { Topics } = await import("../../src/protocol/mod.ts");
  const { Server, offlineState } = await import("../../src/server/mod.ts");
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const { StoredState } = await import(
    "../../src/broker/persistence/stored_state.ts"
  );
  const { createBroker } = await import("../../src/broker/broker.ts");
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const folder = await tempDir();
  const mosquitto = kind === "mosquitto" ? await startMosquitto() : undefined;
  const port = mosquitto?.port ?? freePort();
  const topics = new Topics();
  const log: string[] = [];
  let server: Server | undefined;

  const linkOf = (store: InstanceType<typeof SqliteStore>, prefix: string) => {
    const { statusTopics } = new Discovery({ prefix, topics, version: "" });
    const subscriptions = topics.serverSubscriptions(NAME);
    if (mosquitto === undefined) {
      return createBroker({
        ...{ host: "127.0.0.1", port, peerTopic: topics.state },
        subscriptions: [...subscriptions, ...statusTopics],
        runs: [topics.dataFilter],
        reserved: topics.serverOnlyFilters,
        persistence: new StoredState(store.records),
      });
    }
    return new Connection({
      url: mosquitto.url,
      clientId: NAME,
      subscriptions,
      liveSubscriptions: [...topics.serverLiveSubscriptions(), ...statusTopics],
      will: { topic: topics.state, payload: offlineState(NAME, "0.0.0") },
      sessionExpiry: 3600,
      maxReconnectDelay: 300,
    });
  };

  return {
    port,
    mosquitto,
    log,
    get server() {
      return server!;
    },
    start: async (prefix) => {
      const store = new SqliteStore({ path: `${folder.path}/map.sqlite` });
      const link: Link = linkOf(store, prefix ?? "homeassistant");
      server = new Server({
        ...{ link, store, topics, name: NAME, version: "0.0.0" },
        map: new OccupancyMap({ maxSkew: 60_000, staleAfter: 3_600_000 }),
        log: serverLog((line) => log.push(line)),
        homeAssistant: prefix,
      });
      await server.start();
    },
    stop: async () => await server?.stop(),
    send: async (text) => {
      await using sensor = await RawConnection.open(port, "sensor");
      await sensor.publish("occupancy/data", text, { qos: 1, id: 1 });
      await sensor.expect("puback");
    },
    setZones: async (...zones) => {
      const result = await server!.zones.edit({ kind: "replace", zones });
      if (typeof result === "string") throw new Error(result);
    },
    [Symbol.asyncDispose]: async () => {
      await server?.stop();
      await mosquitto?.[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
