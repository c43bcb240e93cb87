/**
 * Cases of a store that several servers share: what it costs beside one server
 * with SQLite, how far a server lags behind, and how long one takes to join.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { tempDir } from "../../tests/support/temp.ts";
import { LoadGenerator } from "../harness/load_generator.ts";
import { limitOf, memoryOf, Meter } from "../harness/meter.ts";
import type { Sample } from "../harness/report.ts";
import { type Case, ourSubjects, type Size } from "../harness/rounds.ts";
import { RawClient } from "../harness/raw_client.ts";
import { quantile } from "../harness/statistics.ts";
import { type GroupOptions, startGroup } from "../systems/group.ts";
import { DATA_TOPIC, PREFIX } from "../systems/system.ts";
import { preload } from "./ingest.ts";

const MILLION = 1_000_000;
const SQLITE = "one server, SQLite";
const ONE = "one server, Redis";
const THREE = "three servers, Redis";
const FOLLOWER = "a follower of one writer";
/** Readings per second of the case of lag. */
const LAG_RATE = MILLION;
const LAG_SAMPLE_MS = 25;
const TICK_MS = 20;
const POLL_MS = 2;
/** The layer of the readings whose delay is measured. */
const STAMPS = "stamps";

type System = Omit<GroupOptions, "folder">;

const SYSTEMS: Readonly<Record<string, System>> = {
  [SQLITE]: { store: "sqlite", servers: 1 },
  [ONE]: { store: "redis", servers: 1 },
  [THREE]: { store: "redis", servers: 3 },
};

interface Shape {
  readonly readingsPerMessage: number;
  /**
   * Messages for each server before the clock starts. More than one sweep: the
   * first one adds the cells, and the code that updates them is compiled in the
   * second one.
   */
  readonly warmUp: number;
  readonly messages: number;
  readonly cells: number;
  /** QoS 1 messages in flight. */
  readonly window: number;
}

/** All cases of a shared store. */
export function sharedCases(size: Size): Case[] {
  return [
    ingestCase(size, 100, {
      what: "CPU, ratio to SQLite",
      figure: "cpuSecondsPerMillionReadings",
      ...{ subject: THREE, over: SQLITE, atMost: 2 },
    }),
    ingestCase(size, 1, {
      what: "messages, ratio to one server (needs cores for all)",
      figure: "messagesPerSecond",
      ...{ subject: THREE, over: ONE, atLeast: 1.8 },
    }),
    {
      name: "shared-lag",
      title:
        "Lag of a server behind the journal at a million readings a second",
      settings: { readingsPerSecond: LAG_RATE, readingsPerMessage: 1000 },
      subjects: [{
        name: FOLLOWER,
        measure: () => lag(size.quick ? 5 : 20),
      }],
      goals: [{
        what: "99th percentile",
        figure: "lagP99Milliseconds",
        ...{ subject: FOLLOWER, atMost: 100 },
      }],
      maxRounds: 3,
    },
    {
      name: "shared-join",
      title: "A server joins a map of 10 million cells",
      settings: { cells: 10 * MILLION },
      subjects: [{ name: ONE, measure: () => join(10 * MILLION) }],
      goals: [{
        what: "time until ready",
        figure: "joinMilliseconds",
        ...{ subject: ONE, atMost: 3000 },
      }],
      maxRounds: 3,
    },
  ];
}

function ingestCase(
  size: Size,
  readingsPerMessage: 1 | 100,
  goal: NonNullable<Case["goals"]>[number],
): Case {
  const shape: Shape = readingsPerMessage === 1
    ? {
      ...{ readingsPerMessage, cells: 10_000, window: 1000 },
      warmUp: size.count(20_000),
      messages: size.count(150_000),
    }
    : {
      ...{ readingsPerMessage, cells: size.count(MILLION), window: 200 },
      warmUp: size.count(20_000),
      messages: size.count(40_000),
    };
  return {
    name: `shared-${readingsPerMessage}`,
    title: `${readingsPerMessage} reading${
      readingsPerMessage === 1 ? "" : "s"
    } per message, QoS 1, Mosquitto: CPU of all servers, with Redis`,
    settings: { ...shape },
    subjects: Object.entries(SYSTEMS).flatMap(([name, system]) =>
      ourSubjects(name, size, (root) => ingest({ ...system, root }, shape))
    ),
    goals: [goal],
  };
}

async function ingest(system: System, shape: Shape): Promise<Sample> {
  const { messages, readingsPerMessage } = shape;
  const warmUp = shape.warmUp * system.servers;
  await using folder = await tempDir();
  await using group = await startGroup({ ...system, folder: folder.path });
  await using load = await startLoad(group.port, { ...shape, warmUp });
  await load.send(warmUp);
  await group.waitForReadings(warmUp * readingsPerMessage);
  const meter = new Meter(group.processes);
  const start = performance.now();
  await load.send(messages);
  await group.waitForReadings((warmUp + messages) * readingsPerMessage);
  const seconds = (performance.now() - start) / 1000;
  const usages = meter.stop();
  const cpu = usages.reduce((sum, one) => sum + one.cpuMicroseconds, 0);
  return {
    figures: {
      messagesPerSecond: messages / seconds,
      ...(readingsPerMessage > 1 && {
        readingsPerSecond: messages * readingsPerMessage / seconds,
      }),
      cpuMicrosecondsPerMessage: cpu / messages,
      cpuSecondsPerMillionReadings: cpu / (messages * readingsPerMessage),
      redisCpuMicrosecondsPerMessage:
        (usages.find(({ role }) => role === "redis")?.cpuMicroseconds ?? 0) /
        messages,
    },
    limit: limitOf(usages),
  };
}

/**
 * Measures how long a reading takes into the map of a server that follows,
 * through broker and writer, at a steady rate of other readings.
 */
async function lag(seconds: number): Promise<Sample> {
  const readingsPerMessage = 1000;
  const perTick = LAG_RATE * TICK_MS / 1000 / readingsPerMessage;
  const ticks = seconds * 1000 / TICK_MS;
  await using folder = await tempDir();
  await using group = await startGroup({
    ...{ store: "redis", servers: 1, folder: folder.path },
  });
  const { url } = group.servers[await group.join("follower")]!;
  await using load = await startLoad(group.port, {
    ...{ readingsPerMessage, cells: MILLION, window: 2 * perTick },
    ...{ warmUp: MILLION / readingsPerMessage, messages: ticks * perTick },
  });
  await load.send(MILLION / readingsPerMessage);
  await group.waitForReadings(MILLION);
  using client = await RawClient.connect(group.port, "stamps");
  const ending = new AbortController();
  const sampling = sampleDelays(client, url, ending.signal);
  const start = performance.now();
  for (let tick = 0; tick < ticks; tick++) {
    await load.send(perTick);
    await delay(start + (tick + 1) * TICK_MS - performance.now());
  }
  await group.waitForReadings(MILLION + ticks * perTick * readingsPerMessage);
  const took = (performance.now() - start) / 1000;
  ending.abort();
  const delays = await sampling;
  return {
    figures: {
      readingsPerSecond: ticks * perTick * readingsPerMessage / took,
      lagP50Milliseconds: quantile(delays, 0.5),
      lagP99Milliseconds: quantile(delays, 0.99),
      lagMaxMilliseconds: Math.max(...delays),
      samples: delays.length,
    },
  };
}

/** Sends a reading now and then, and waits until a server has it. */
async function sampleDelays(
  client: RawClient,
  url: string,
  signal: AbortSignal,
): Promise<number[]> {
  const query = `${url}api/v1/cells?layer=${STAMPS}`;
  const delays: number[] = [];
  for (let value = 1; !signal.aborted; value++) {
    const sentAt = performance.now();
    await client.send({
      ...{ cmd: "publish", topic: `${DATA_TOPIC}/${STAMPS}` },
      payload: `0,0,${value}`,
      ...{ qos: 0, dup: false, retain: false },
    });
    for (;;) {
      const { cells } = await (await fetch(query)).json();
      if (cells?.[0]?.[2] === value) break;
      // A reading at QoS 0 may be dropped; then it never arrives.
      if (signal.aborted) return delays;
      await delay(POLL_MS);
    }
    delays.push(performance.now() - sentAt);
    await delay(LAG_SAMPLE_MS, signal);
  }
  return delays;
}

/** Measures from the start of a second server until it is ready. */
async function join(cells: number): Promise<Sample> {
  await using folder = await tempDir();
  await using group = await startGroup({
    ...{ store: "redis", servers: 1, folder: folder.path },
  });
  await preload(group, cells);
  await group.waitForReadings(cells);
  const start = performance.now();
  await group.join();
  const joinMilliseconds = performance.now() - start;
  const { now, peak } = memoryOf(group.servers[1]!.pid);
  return {
    figures: { joinMilliseconds, residentBytes: now, peakResidentBytes: peak },
  };
}

function startLoad(port: number, shape: Shape): Promise<LoadGenerator> {
  return LoadGenerator.start({
    ...shape,
    ...{ topic: DATA_TOPIC, prefix: PREFIX, port, qos: 1, order: "sweep" },
    messages: shape.warmUp + shape.messages,
  });
}
