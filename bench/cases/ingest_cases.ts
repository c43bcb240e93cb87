import type { Goal } from "../harness/report.ts";
import type { Case, Subject } from "../harness/rounds.ts";
import { broker, mosquittoSub, subscriber } from "../systems/compared.ts";
import { occupancy, type Transport } from "../systems/occupancy.ts";
import type { Start } from "../systems/system.ts";
import { ingest, type IngestShape } from "./ingest.ts";
import type { Size } from "./size.ts";

const MEMORY = "occupancy, memory";
const SQLITE = "occupancy, SQLite";
const MOSQUITTO_SUB = "mosquitto_sub";
const MAP = "mqtt.js and a Map";
const PARSER = "mqtt.js and our parser, nothing kept";
const ORIGINAL = "paho, dict and log line";
const ROWS = "mqtt.js and SQLite, a row a cell";
const REDIS = "mqtt.js and Redis, HSET in a pipeline";
const AEDES = "aedes with an empty hook";

const STORES = { [MEMORY]: "memory", [SQLITE]: "sqlite" } as const;

/** All that measure how fast readings are taken in. */
export function ingestCases(size: Size): Case[] {
  return [
    onePerMessage(size, 0),
    onePerMessage(size, 1),
    embedded(size, 0),
    embedded(size, 1),
    manyPerMessage(size, 100),
    manyPerMessage(size, 1000),
    manyEmbedded(size),
  ];
}

function onePerMessage(size: Size, qos: 0 | 1): Case {
  const shape: IngestShape = {
    qos,
    readingsPerMessage: 1,
    warmUp: size.count(20_000),
    messages: size.count(150_000),
    cells: 10_000,
    order: "sweep",
    window: 1000,
  };
  return {
    name: `one-qos${qos}`,
    title: `One reading a message, QoS ${qos}, through Mosquitto`,
    settings: settingsOf(shape),
    subjects: [
      other(MOSQUITTO_SUB, mosquittoSub, shape),
      ...ours("mosquitto", shape, size),
      other(MAP, subscriber("bare_map.ts"), shape),
      other(ORIGINAL, subscriber("original.py"), shape),
      ...(qos === 0 ? [] : [
        other(ROWS, subscriber("row_a_cell.ts"), shape),
        other(REDIS, subscriber("redis_hset.ts", { redis: true }), shape),
      ]),
    ],
    goals: [
      messages("of what mosquitto_sub receives", SQLITE, MOSQUITTO_SUB, 0.95),
      messages("of the original's way", SQLITE, ORIGINAL, 2),
      ...(qos === 0 ? [] : [
        messages("of the memory store", SQLITE, MEMORY, 0.5),
      ]),
    ],
  };
}

function embedded(size: Size, qos: 0 | 1): Case {
  const shape: IngestShape = {
    qos,
    readingsPerMessage: 1,
    warmUp: size.count(50_000),
    messages: size.count(300_000),
    cells: 10_000,
    order: "sweep",
    window: 1000,
  };
  return {
    name: `embedded-qos${qos}`,
    title: `One reading a message, QoS ${qos}, embedded broker`,
    settings: settingsOf(shape),
    subjects: [
      other(AEDES, broker("bare_aedes.ts"), shape),
      ...ours("embedded", shape, size),
    ],
    goals: qos === 0 ? [] : [messages("of bare aedes", SQLITE, AEDES, 0.8)],
  };
}

function manyPerMessage(size: Size, readingsPerMessage: 100 | 1000): Case {
  const shape = manyShape(size, readingsPerMessage);
  const rows = readingsPerMessage === 100
    ? [
      // Fewer: it takes long enough.
      other(ROWS, subscriber("row_a_cell.ts"), {
        ...shape,
        messages: size.count(3_000),
      }),
      other(REDIS, subscriber("redis_hset.ts", { redis: true }), {
        ...shape,
        messages: size.count(10_000),
      }),
    ]
    : [];
  return {
    name: `many-${readingsPerMessage}`,
    title: `${readingsPerMessage} readings a message, QoS 1, through Mosquitto`,
    settings: settingsOf(shape),
    subjects: [
      other(PARSER, subscriber("bare_parser.ts"), shape),
      ...ours("mosquitto", shape, size),
      other(MAP, subscriber("bare_map.ts"), shape),
      ...rows,
    ],
    goals: readingsPerMessage === 100
      ? [
        readings("of parsing alone", MEMORY, PARSER, 0.8),
        readings("of the memory store", SQLITE, MEMORY, 0.4),
        readings("of a row a cell", SQLITE, ROWS, 15),
      ]
      : [readings("of the memory store", SQLITE, MEMORY, 0.4)],
  };
}

function manyEmbedded(size: Size): Case {
  const shape = manyShape(size, 100);
  return {
    name: "embedded-many-100",
    title: "100 readings a message, QoS 1, embedded broker",
    settings: settingsOf(shape),
    subjects: [
      other(AEDES, broker("bare_aedes.ts"), shape),
      ...ours("embedded", shape, size),
    ],
    goals: [readings("of the memory store", SQLITE, MEMORY, 0.4)],
  };
}

function manyShape(size: Size, readingsPerMessage: number): IngestShape {
  return {
    qos: 1,
    readingsPerMessage,
    // All cells are there when the clock starts.
    warmUp: size.count(1_000_000) / readingsPerMessage,
    messages: size.count(8_000_000) / readingsPerMessage,
    cells: size.count(1_000_000),
    order: "sweep",
    window: 20_000 / readingsPerMessage,
  };
}

/** Our server with both stores, of this checkout and of the one it is compared with. */
function ours(
  transport: Transport,
  shape: IngestShape,
  { against }: Size,
): Subject[] {
  return Object.entries(STORES).flatMap(([name, store]) => {
    const start = (root?: string) =>
      occupancy({ transport, store, ...(root !== undefined && { root }) });
    const subject = (name: string, root?: string): Subject => ({
      name,
      measure: () => ingest(start(root), shape, { checked: true }),
    });
    return against === undefined
      ? [subject(name)]
      : [subject(name), subject(`${name}, before`, against)];
  });
}

function other(name: string, start: Start, shape: IngestShape): Subject {
  return { name, measure: () => ingest(start, shape) };
}

function settingsOf(shape: IngestShape): Record<string, string | number> {
  return { ...shape };
}

function messages(
  what: string,
  subject: string,
  over: string,
  atLeast: number,
): Goal {
  return { what, figure: "messagesPerSecond", subject, over, atLeast };
}

function readings(
  what: string,
  subject: string,
  over: string,
  atLeast: number,
): Goal {
  return { what, figure: "readingsPerSecond", subject, over, atLeast };
}
