/**
 * Cases of the broker itself, beside Mosquitto: fan-out, connections that come
 * and go, idle connections, and ingest beside abandoned sessions.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { tempDir } from "../../tests/support/temp.ts";
import { BrokerClients } from "../harness/broker_clients.ts";
import { limitOf, memoryOf, Meter } from "../harness/meter.ts";
import type { Goal, Sample } from "../harness/report.ts";
import {
  type Case,
  ourSubjects,
  type Size,
  type Subject,
} from "../harness/rounds.ts";
import { broker } from "../systems/compared.ts";
import { startMosquitto } from "../systems/mosquitto.ts";
import { occupancy } from "../systems/occupancy.ts";
import type { StartSystem, System } from "../systems/system.ts";
import { ingest, type IngestShape } from "./ingest.ts";

const OURS = "occupancy";
const MOSQUITTO = "Mosquitto";
/** What a connection costs in Deno, without a broker. */
const BARE = "acknowledgements only";
const PAYLOAD_BYTES = 100;
const SUBSCRIBERS = [1, 10, 100, 500];
/** Messages on their way to the slowest subscriber. */
const WINDOW = 400;
const CONNECTS_PER_SECOND = 1000;
const IDLE = 1000;
/** For timers that run after a connection was opened or closed, in ms. */
const SETTLE_MS = 1500;
const ABANDONED = 500;
const GOALS = {
  /** A tenth of 0.49 ms, which aedes took. */
  connectMicroseconds: 49,
  idleBytes: 12_000,
  abandoned: 0.9,
};

/** All cases of the broker. */
export function brokerCases(size: Size): Case[] {
  return [
    ...SUBSCRIBERS.flatMap((count) => [
      fanOut(size, count, 0),
      fanOut(size, count, 1),
    ]),
    connects(size),
    idle(size),
    ...(["occupancy/response/%", "occupancy/data/#"] as const)
      .map((filter, i) => abandoned(size, filter, i)),
  ];
}

/** Only a broker: a server with an empty map, or Mosquitto. */
function subjectsOf(
  size: Size,
  measure: (system: System) => Promise<Sample>,
  isBareToo = false,
): Subject[] {
  const run = async (start: StartSystem) => {
    await using folder = await tempDir();
    await using system = await start({
      ...{ qos: 1, marks: [], folder: folder.path },
    });
    return await measure(system);
  };
  return [
    ...ourSubjects(
      OURS,
      size,
      (root) =>
        run(occupancy({ transport: "embedded", store: "memory", root })),
    ),
    { name: MOSQUITTO, measure: () => run(mosquitto) },
    ...(isBareToo
      ? [{ name: BARE, measure: () => run(broker("bare_ingest.ts")) }]
      : []),
  ];
}

/** Mosquitto without a server. */
const mosquitto: StartSystem = async ({ folder }) => {
  const { port, pid, [Symbol.asyncDispose]: dispose } = await startMosquitto(
    folder,
  );
  return {
    port,
    processes: [{ role: "server", pid }],
    waitUntilProcessed: () => Promise.reject(new Error("there is no server")),
    [Symbol.asyncDispose]: dispose,
  };
};

function fanOut(size: Size, subscribers: number, qos: 0 | 1): Case {
  const deliveries = size.count(qos === 0 ? 1_000_000 : 400_000);
  const messages = Math.ceil(deliveries / subscribers);
  const measure = async (system: System): Promise<Sample> => {
    await using clients = await BrokerClients.start(system.port);
    await clients.do({
      ...{ do: "subscribe", count: subscribers, topic: "fan/out", qos },
      payloadBytes: PAYLOAD_BYTES,
    });
    const publish = (count: number) =>
      clients.do({ do: "publish", messages: count, window: WINDOW });
    await publish(Math.ceil(messages / 5));
    const meter = new Meter([
      ...system.processes,
      { role: "clients", pid: clients.pid },
    ]);
    const { startedAt, at } = await publish(messages);
    const usages = meter.stop();
    const delivered = messages * subscribers;
    return {
      figures: {
        deliveriesPerSecond: 1000 * delivered / (at - startedAt),
        ...Object.fromEntries(usages.map(({ role, cpuMicroseconds }) => [
          `${role}CpuMicrosecondsPerDelivery`,
          cpuMicroseconds / delivered,
        ])),
      },
      limit: limitOf(usages),
    };
  };
  return {
    name: `fan-out-${subscribers}-qos${qos}`,
    title: `One publisher, ${subscribers} subscribers, QoS ${qos}, ` +
      `${PAYLOAD_BYTES} bytes`,
    settings: { subscribers, qos, messages, window: WINDOW },
    subjects: subjectsOf(size, measure),
    goals: [{
      what: "ratio to Mosquitto",
      figure: "deliveriesPerSecond",
      subject: OURS,
      over: MOSQUITTO,
      atLeast: 1,
    }],
    maxRounds: 3,
  };
}

function connects(size: Size): Case {
  const count = size.count(8 * CONNECTS_PER_SECOND);
  const measure = async (system: System): Promise<Sample> => {
    await using clients = await BrokerClients.start(system.port);
    const cycle = (count: number) =>
      clients.do({ do: "cycle", count, perSecond: CONNECTS_PER_SECOND });
    await cycle(CONNECTS_PER_SECOND);
    const meter = new Meter(system.processes);
    const { startedAt, at } = await cycle(count);
    const [usage] = meter.stop();
    return {
      figures: {
        connectsPerSecond: 1000 * count / (at - startedAt),
        serverCpuMicrosecondsPerConnect: usage!.cpuMicroseconds / count,
      },
    };
  };
  return {
    name: "connects",
    title: `${CONNECTS_PER_SECOND} connects and disconnects a second`,
    settings: { count },
    subjects: subjectsOf(size, measure, true),
    goals: [{
      what: "CPU time of a connect and disconnect",
      figure: "serverCpuMicrosecondsPerConnect",
      subject: OURS,
      atMost: GOALS.connectMicroseconds,
    }],
    maxRounds: 3,
  };
}

function idle(size: Size): Case {
  const measure = async (system: System): Promise<Sample> => {
    const { pid } = system.processes[0]!;
    {
      // The memory of the work itself is not counted.
      await using clients = await BrokerClients.start(system.port);
      await clients.do({
        ...{ do: "cycle", count: IDLE, perSecond: CONNECTS_PER_SECOND },
      });
    }
    await delay(SETTLE_MS);
    const before = memoryOf(pid).now;
    await using clients = await BrokerClients.start(system.port);
    await clients.do({ do: "hold", count: IDLE });
    await delay(SETTLE_MS);
    const { now } = memoryOf(pid);
    return {
      figures: {
        residentBytes: now,
        residentBytesPerConnection: (now - before) / IDLE,
      },
    };
  };
  return {
    name: "idle",
    title: `Memory of ${IDLE} idle connections`,
    settings: { connections: IDLE },
    subjects: subjectsOf(size, measure),
    goals: [{
      what: "resident bytes per connection",
      figure: "residentBytesPerConnection",
      subject: OURS,
      atMost: GOALS.idleBytes,
    }],
    maxRounds: 3,
  };
}

function abandoned(size: Size, filter: string, i: number): Case {
  const shape: IngestShape = {
    qos: 1,
    readingsPerMessage: 1,
    warmUp: size.count(100_000),
    messages: size.count(600_000),
    cells: 10_000,
    order: "sweep",
    window: 1000,
  };
  const nameOf = (count: number) => `${count} abandoned sessions`;
  const subjects = [0, ABANDONED].flatMap((count) =>
    ourSubjects(nameOf(count), size, (root) => {
      const start = occupancy({ transport: "embedded", store: "sqlite", root });
      return ingest(leaving(start, count, filter), shape, { checked: true });
    })
  );
  const goal: Goal = {
    what: "ratio to no abandoned session",
    figure: "messagesPerSecond",
    subject: nameOf(ABANDONED),
    over: nameOf(0),
    atLeast: GOALS.abandoned,
  };
  return {
    name: `abandoned-${i === 0 ? "replies" : "data"}`,
    title: `Ingest beside abandoned sessions that subscribe to ${filter}`,
    settings: { ...shape, filter },
    subjects,
    goals: [goal],
    maxRounds: 3,
  };
}

/** A system in which clients have left sessions behind. */
function leaving(
  start: StartSystem,
  count: number,
  filter: string,
): StartSystem {
  return async (options) => {
    const system = await start(options);
    await using clients = await BrokerClients.start(system.port);
    await clients.do({ do: "abandon", count, filter });
    return system;
  };
}
