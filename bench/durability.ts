/**
 * `deno run -A bench/durability.ts [--quick]`: measures the cost of
 * `--durability`: the same load (QoS 1, one reading per message) with each
 * level in turn.
 *
 * @module
 */
import { ingest, type IngestShape } from "./cases/ingest.ts";
import { describeMachine, describeVersions } from "./harness/machine.ts";
import { renderText } from "./harness/render.ts";
import { type Case, runCase, sizeOf, type Subject } from "./harness/rounds.ts";
import {
  occupancy,
  type OccupancyOptions,
  type Transport,
} from "./systems/occupancy.ts";

const MEMORY = "memory";
const LEVELS: Record<string, Omit<OccupancyOptions, "transport">> = {
  [MEMORY]: { store: "memory" },
  commit: { store: "sqlite", durability: "commit" },
  fsync: { store: "sqlite", durability: "fsync" },
};

const size = sizeOf({ quick: Deno.args.includes("--quick") });
const SHAPES: Record<Transport, IngestShape> = {
  mosquitto: shapeOf(200_000, 1000),
  embedded: shapeOf(4_000_000, 4000),
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

function shapeOf(messages: number, window: number): IngestShape {
  return {
    qos: 1,
    readingsPerMessage: 1,
    warmUp: size.count(messages / 10),
    messages: size.count(messages),
    cells: 10_000,
    order: "sweep",
    window,
  };
}

function durability(transport: Transport): Case {
  const shape = SHAPES[transport];
  return {
    name: `durability-${transport}`,
    title: `1 reading per message, QoS 1, ${transport}`,
    settings: { ...shape },
    subjects: Object.entries(LEVELS).map(([name, level]): Subject => ({
      name,
      measure: () =>
        ingest(occupancy({ transport, ...level }), shape, { checked: true }),
    })),
    goals: Object.keys(LEVELS).filter((name) => name !== MEMORY)
      .map((subject) => ({
        what: "ratio to the memory store",
        figure: "messagesPerSecond",
        subject,
        over: MEMORY,
        atLeast: 0.5,
      })),
  };
}
