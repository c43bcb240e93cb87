/**
 * The two demos. Both start a server with the embedded broker on a free port
 * and run the code of the commands `client`, `simulate` and `request`.
 *
 * @module
 */
import { createBroker } from "../../src/broker/broker.ts";
import { client } from "../../src/cli/commands/client/run.ts";
import { watch } from "../../src/cli/commands/request/watch.ts";
import { httpContext } from "../../src/cli/commands/server/http.ts";
import { play } from "../../src/cli/commands/simulate/play.ts";
import { connect, uniqueClientId } from "../../src/cli/connect.ts";
import { Exit } from "../../src/cli/exit_codes.ts";
import { printError } from "../../src/cli/terminal/output.ts";
import { VERSION } from "../../src/cli/version.ts";
import { Sender } from "../../src/client/mod.ts";
import { hostAndPort } from "../../src/common/host.ts";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import {
  makeScene,
  type Scene,
  SceneReader,
  SpeedPace,
  zonesOf,
} from "../../src/simulate/mod.ts";
import { MemoryStore } from "../../src/store/memory.ts";

const NAME = "occupancy-server";
const SAMPLES = ["client1.json", "client2.json"];

/** Robots drive at twice the real speed; an office day takes five minutes. */
const SPEED = 2;
const OFFICE_SPEED = 60;
const SEED = 1;
const READINGS_PER_MESSAGE = 100;
const LAYER = "default";

interface DemoServer {
  /** Where its broker listens, `host:port`. */
  readonly address: string;
  /** Puts zones in force. */
  setZones(scene: Scene): Promise<void>;
  /** Starts HTTP. @returns the address of the dashboard */
  openHttp(): Promise<string>;
  stop(): Promise<void>;
}

async function startServer(log: (line: string) => void): Promise<DemoServer> {
  const topics = new Topics();
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    subscriptions: topics.serverSubscriptions(NAME),
  });
  const limited = (_kind: string, line: string | (() => string)) =>
    log(typeof line === "string" ? line : line());
  const store = new MemoryStore();
  const map = new OccupancyMap();
  const server = new Server({
    ...{ link: broker, store, map, topics },
    name: NAME,
    version: VERSION,
    log: { info: log, warn: log, infoLimited: limited, warnLimited: limited },
  });
  await server.start();
  const { host, port } = broker.address;
  const address = `${host}:${port}`;
  const abort = new AbortController();
  let closeHttp = () => Promise.resolve();
  return {
    address,
    setZones: async (scene) => {
      const zones = zonesOf(scene.areas(), LAYER);
      await server.zones.edit({ kind: "replace", zones });
    },
    openHttp: async () => {
      const { HttpServer } = await import("../../src/http/mod.ts");
      const context = httpContext({
        ...{ server, link: broker, store, map, topics, name: NAME },
        plans: new Map(),
        displayOf: () => undefined,
        clientAccess: () => ({
          broker: `mqtt://${address}`,
          needsLogin: false,
          prefix: topics.prefix,
          reach: "machine",
        }),
      }, abort.signal);
      const http = await HttpServer.open({
        hostname: host,
        port: 0,
        context,
        warnLimited: limited,
      });
      closeHttp = () => http.close();
      return `http://${hostAndPort(host, http.address.port)}/`;
    },
    stop: async () => {
      abort.abort();
      await closeHttp();
      await server.stop();
    },
  };
}

/**
 * Sends the readings of the two sample files and prints the map after each.
 *
 * @returns the exit code
 */
export async function showSamples(): Promise<number> {
  const { address, stop } = await startServer(printError);
  try {
    printError(`$ occupancy server --listen ${address}`);
    for (const sample of SAMPLES) {
      printError("");
      printError(`$ occupancy client --file ${sample}`);
      await client({
        broker: `mqtt://${address}`,
        prefix: new Topics().prefix,
        file: [new URL(`../../${sample}`, import.meta.url).pathname],
        layer: LAYER,
        request: true,
        wire: "current",
        timeout: 5000,
        format: "table",
        pager: false,
        color: "auto",
      });
    }
    printError("");
    printError(
      "The clients disagree about (1,2), (2,2) and (3,3): the map shows the latest value.",
    );
    return Exit.ok;
  } finally {
    await stop();
  }
}

/**
 * Simulates a campus and draws its map in the terminal, as `occupancy simulate`
 * and `occupancy request --map --watch` do. The dashboard shows its zones too.
 *
 * @param span how long, ms; default: until the user ends it
 * @returns the exit code
 */
export async function showLive(span: number | undefined): Promise<number> {
  const lines: string[] = [];
  // The map fills the screen; the server's log is printed after it.
  const server = await startServer((line) => lines.push(line));
  const { address, stop } = server;
  const scene = makeScene("campus", { seed: SEED, officeSpeed: OFFICE_SPEED });
  try {
    await server.setZones(scene);
    const page = `rooms: ${await server.openHttp()}`;
    return await simulateAndWatch(`mqtt://${address}`, scene, page, span);
  } finally {
    await stop();
    for (const line of lines) printError(line);
  }
}

async function simulateAndWatch(
  broker: string,
  scene: Scene,
  note: string,
  span: number | undefined,
): Promise<number> {
  const topics = new Topics();
  const flags = { broker, prefix: topics.prefix };
  const link = await connect(flags, {
    name: uniqueClientId("simulate"),
    subscriptions: [],
    handlersFor: () => ({ message: () => {} }),
  });
  const abort = new AbortController();
  const sender = new Sender(link, {
    topic: topics.data(LAYER),
    batch: READINGS_PER_MESSAGE,
  });
  const pace = new SpeedPace(SPEED);
  const playing = play(new SceneReader(scene), pace, sender, abort.signal);
  try {
    const watching = watch(
      {
        ...flags,
        layer: LAYER,
        map: true,
        watch: true,
        pager: false,
        color: "auto",
        wire: "current",
        timeout: 5000,
        ...(span !== undefined && { for: span }),
      },
      "map",
      [note],
    );
    // The simulation has no end: it settles first only if it fails.
    return await Promise.race([watching, playing.then(() => watching)]);
  } finally {
    abort.abort();
    await playing.catch(() => {}); // the race above has reported it
    await link.close();
  }
}
