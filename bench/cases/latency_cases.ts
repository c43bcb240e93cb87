/**
 * Cases of latency: the duration of a request for one cell while the server
 * receives readings as fast as it can process them.
 *
 * @module
 */
import { tempDir } from "../../tests/support/temp.ts";
import { LoadGenerator } from "../harness/load_generator.ts";
import { limitOf, Meter } from "../harness/meter.ts";
import { RawClient } from "../harness/raw_client.ts";
import type { Sample } from "../harness/report.ts";
import { RawRequester } from "../harness/raw_requester.ts";
import {
  type Case,
  ourSubjects,
  type Size,
  type Subject,
} from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { occupancy, type Transport } from "../systems/occupancy.ts";
import { DATA_TOPIC, PREFIX, type StartSystem } from "../systems/system.ts";
import { allProcesses, cpuPerMessage, preload } from "./ingest.ts";

const REQUEST_INTERVAL_MS = 4;
const CELLS = 1_000_000;

interface Shape {
  readonly readingsPerMessage: number;
  readonly messages: number;
  readonly warmUp: number;
  /** Messages between generator and server. */
  readonly inFlight: number;
}

/** One case for each broker. */
export function latencyCases(size: Size): Case[] {
  const many: Shape = {
    readingsPerMessage: 100,
    messages: size.count(160_000),
    warmUp: 10_000,
    inFlight: 40,
  };
  const one: Shape = {
    readingsPerMessage: 1,
    messages: size.count(400_000),
    warmUp: 20_000,
    inFlight: 400,
  };
  return (["mosquitto", "embedded"] as const).map((transport) => ({
    name: `latency-${transport}`,
    title: `Request for one cell of ${CELLS} during saturated ingest, SQLite, ${
      transport === "mosquitto" ? "Mosquitto" : "embedded broker"
    }`,
    settings: { cells: CELLS, qos: 1 },
    subjects: [
      ...subjectsOf(transport, many, size),
      ...subjectsOf(transport, one, size),
    ],
    goals: [many, one].map(({ readingsPerMessage }) => ({
      what: "99th percentile",
      figure: "requestP99Milliseconds",
      subject: nameOf(readingsPerMessage),
      atMost: 20,
    })),
  }));
}

function nameOf(readingsPerMessage: number): string {
  return `${readingsPerMessage} reading${
    readingsPerMessage === 1 ? "" : "s"
  } per message`;
}

function subjectsOf(transport: Transport, shape: Shape, size: Size): Subject[] {
  return ourSubjects(
    nameOf(shape.readingsPerMessage),
    size,
    (root) => latency(occupancy({ transport, store: "sqlite", root }), shape),
  );
}

async function latency(start: StartSystem, shape: Shape): Promise<Sample> {
  const { readingsPerMessage, messages, warmUp, inFlight } = shape;
  await using folder = await tempDir();
  await using system = await start({ qos: 1, marks: [], folder: folder.path });
  await preload(system, CELLS);
  await using load = await LoadGenerator.start({
    topic: DATA_TOPIC,
    prefix: PREFIX,
    port: system.port,
    qos: 1,
    messages: warmUp + messages,
    readingsPerMessage,
    cells: CELLS,
    order: "sweep",
    window: inFlight,
    // A broker acknowledges before the server has the message: count replies.
    pace: { every: inFlight / 4, outstanding: 4 },
  });
  using client = await RawClient.connect(system.port, "requests");
  const requester = new RawRequester(client, PREFIX, "requests");
  await requester.open();
  await load.send(warmUp);
  await load.request();
  const meter = new Meter(allProcesses(system, load));
  const requests = requestSteadily(requester, client);
  const { startedAt, at } = await load.send(messages);
  const times = await requests.stop();
  const usages = meter.stop();
  const seconds = (at - startedAt) / 1000;
  return {
    figures: {
      requestP50Milliseconds: quantile(times, 0.5),
      requestP99Milliseconds: quantile(times, 0.99),
      requestMaxMilliseconds: Math.max(...times),
      requests: times.length,
      readingsPerSecond: messages * readingsPerMessage / seconds,
      ...cpuPerMessage(usages, messages),
    },
    limit: limitOf(usages),
  };
}

/**
 * Sends requests at fixed times, also while earlier ones are open, and measures
 * from the planned time of each. Otherwise a server that pauses would get one
 * request during the pause, which would hide it ("coordinated omission", Tene).
 */
function requestSteadily(
  requester: RawRequester,
  client: RawClient,
): { stop(): Promise<number[]> } {
  const first = performance.now();
  const times: number[] = [];
  let sent = 0;
  requester.onReply = () => {
    times.push(performance.now() - first - times.length * REQUEST_INTERVAL_MS);
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (; first + sent * REQUEST_INTERVAL_MS <= now; sent++) {
      requester.postCell(sent % 1000, 7);
    }
  }, REQUEST_INTERVAL_MS / 2);
  return {
    stop: async () => {
      clearInterval(timer);
      await client.until(() => times.length === sent);
      return times;
    },
  };
}
