/**
 * What durability costs: the same load, at QoS 1, one reading a message, with
 * each store in turn. `deno run --allow-all bench/durability.ts [--quick]`
 *
 * @module
 */
import { ingest, type IngestShape } from "./cases/ingest.ts";
import { sizeOf } from "./cases/size.ts";
import { describeMachine, describeVersions } from "./harness/machine.ts";
import { renderText } from "./harness/render.ts";
import { type Case, runCase, type Subject } from "./harness/rounds.ts";
import { startMosquitto } from "./systems/mosquitto.ts";
import { READY, startServer, type Transport } from "./systems/occupancy.ts";
import { disposeAll, freePort, type Start } from "./systems/system.ts";

const MEMORY = "memory";
/** Stores, and what their acknowledged readings survive. */
const STORES = [MEMORY, "commit", "fsync"] as const;

const size = sizeOf({ quick: Deno.args.includes("--quick") });
const shape: IngestShape = {
  qos: 1,
  readingsPerMessage: 1,
  warmUp: size.count(20_000),
  messages: size.count(200_000),
  cells: 10_000,
  order: "sweep",
  window: 1000,
};

console.error(await describeMachine(), await describeVersions());
for (const transport of ["mosquitto", "embedded"] as const) {
  const report = await runCase(
    durability(transport),
    size.rounds,
    (subject, round, rounds) =>
      console.error(`round ${round} of ${rounds}, ${subject}`),
  );
  console.log(`${renderText(report)}\n`);
}

function durability(transport: Transport): Case {
  return {
    name: `durability-${transport}`,
    title: `QoS 1, one reading a message, ${transport}`,
    settings: { ...shape },
    subjects: STORES.map((store): Subject => ({
      name: store,
      measure: () => ingest(start(transport, store), shape, { checked: true }),
    })),
    goals: STORES.slice(1).map((subject) => ({
      what: "of the memory store",
      figure: "messagesPerSecond",
      subject,
      over: MEMORY,
      atLeast: 0.5,
    })),
  };
}

function start(transport: Transport, store: typeof STORES[number]): Start {
  return async ({ folder }) => {
    const started: AsyncDisposable[] = [];
    let port = freePort();
    let link = ["--listen", `127.0.0.1:${port}`];
    const members = [];
    if (transport === "mosquitto") {
      const broker = await startMosquitto(folder);
      started.push(broker);
      members.push({ role: "broker", pid: broker.pid });
      port = broker.port;
      link = ["--broker", `mqtt://127.0.0.1:${port}`];
    }
    const server = startServer(
      store === MEMORY ? { link, store: "memory:" } : {
        link: [...link, "--durability", store],
        store: `sqlite:${folder}/map.sqlite`,
      },
    );
    started.push(server);
    members.push({ role: "server", pid: server.pid });
    await server.says(READY);
    return {
      port,
      members,
      settled: (_messages, load) => load.ask(),
      [Symbol.asyncDispose]: () => disposeAll(started),
    };
  };
}
