/**
 * How long a request for one cell takes while readings pour in as fast as they
 * are taken.
 *
 * @module
 */
import { Asker } from "../harness/asker.ts";
import { limitOf, Meter } from "../harness/cpu.ts";
import { withFolder } from "../harness/folder.ts";
import { Loader } from "../harness/loader.ts";
import { RawClient } from "../harness/mqtt.ts";
import type { Sample } from "../harness/report.ts";
import type { Case, Subject } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { occupancy, type Transport } from "../systems/occupancy.ts";
import { DATA_TOPIC, PREFIX, type Start } from "../systems/system.ts";
import { costs, membersOf, preload } from "./ingest.ts";
import type { Size } from "./size.ts";

/** From one question to the next, in ms. */
const EVERY = 4;
const CELLS = 1_000_000;

interface Shape {
  readonly readingsPerMessage: number;
  readonly messages: number;
  readonly warmUp: number;
  /** Messages on the way at once, from end to end. */
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
  return (["mosquitto", "embedded"] as const).map((transport) => {
    const subjects = [
      ...subjectsOf(transport, many, size),
      ...subjectsOf(transport, one, size),
    ];
    return {
      name: `latency-${transport}`,
      title:
        `A request for one cell of ${CELLS} while ingest is saturated, SQLite, ${
          transport === "mosquitto" ? "through Mosquitto" : "embedded broker"
        }`,
      settings: { cells: CELLS, qos: 1 },
      subjects,
      goals: [many, one].map(({ readingsPerMessage }) => ({
        what: "99th percentile",
        figure: "requestP99Milliseconds",
        subject: nameOf(readingsPerMessage),
        atMost: 20,
      })),
    };
  });
}

function nameOf(readingsPerMessage: number): string {
  return `${readingsPerMessage} reading${
    readingsPerMessage === 1 ? "" : "s"
  } a message`;
}

function subjectsOf(
  transport: Transport,
  shape: Shape,
  { against }: Size,
): Subject[] {
  const name = nameOf(shape.readingsPerMessage);
  const subject = (name: string, root?: string): Subject => ({
    name,
    measure: () =>
      latency(
        occupancy({
          transport,
          store: "sqlite",
          ...(root !== undefined && { root }),
        }),
        shape,
      ),
  });
  return against === undefined
    ? [subject(name)]
    : [subject(name), subject(`${name}, before`, against)];
}

function latency(start: Start, shape: Shape): Promise<Sample> {
  return withFolder(async (folder) => {
    const { readingsPerMessage, messages, warmUp, inFlight } = shape;
    await using system = await start({ qos: 1, marks: [], folder });
    await preload(system, CELLS);
    await using load = await Loader.start({
      topic: DATA_TOPIC,
      prefix: PREFIX,
      port: system.port,
      qos: 1,
      messages: warmUp + messages,
      readingsPerMessage,
      cells: CELLS,
      order: "sweep",
      window: inFlight,
      // A broker acknowledges before the server has anything: count answers.
      pace: { every: inFlight / 4, outstanding: 4 },
    });
    using client = await RawClient.connect(system.port, "asks");
    const asker = new Asker(client, PREFIX, "asks");
    await asker.open();
    await load.send(warmUp);
    await load.ask();
    const meter = new Meter(membersOf(system, load));
    const asking = askSteadily(asker, client);
    const { startedAt, at } = await load.send(messages);
    const times = await asking.stop();
    const usages = meter.stop();
    const seconds = (at - startedAt) / 1000;
    return {
      figures: {
        requestP50Milliseconds: quantile(times, 0.5),
        requestP99Milliseconds: quantile(times, 0.99),
        requestMostMilliseconds: Math.max(...times),
        requests: times.length,
        readingsPerSecond: messages * readingsPerMessage / seconds,
        ...costs(usages, messages),
      },
      limit: limitOf(usages),
    };
  });
}

/**
 * Asks at fixed times, whether the last answer is there or not, and counts from
 * the time at which it should have asked: else a server that stands still would
 * be asked once in that time, and look good (Tene, "coordinated omission").
 */
function askSteadily(
  asker: Asker,
  client: RawClient,
): { stop(): Promise<number[]> } {
  const first = performance.now();
  const times: number[] = [];
  let asked = 0;
  asker.onAnswer = () => {
    times.push(performance.now() - first - times.length * EVERY);
  };
  const timer = setInterval(() => {
    for (const now = performance.now(); first + asked * EVERY <= now; asked++) {
      asker.post(asked % 1000, 7);
    }
  }, EVERY / 2);
  return {
    stop: async () => {
      clearInterval(timer);
      await client.until(() => times.length === asked);
      return times;
    },
  };
}
