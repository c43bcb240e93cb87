/**
 * Cases of ingest: our server compared with other systems, with the same
 * messages.
 *
 * @module
 */
import type { Goal } from "../harness/report.ts";
import {
  type Case,
  ourSubjects,
  type Size,
  type Subject,
} from "../harness/rounds.ts";
import { broker, mosquittoSub, subscriber } from "../systems/compared.ts";
import {
  occupancy,
  type OccupancyOptions,
  type Transport,
} from "../systems/occupancy.ts";
import type { StartSystem } from "../systems/system.ts";
import { ingest, type IngestShape } from "./ingest.ts";

const MEMORY = "occupancy, memory";
const SQLITE = "occupancy, SQLite";
const MOSQUITTO_SUB = "mosquitto_sub";
const MAP = "mqtt.js, Map with string keys";
const PARSER = "mqtt.js, our parser, no map";
const ORIGINAL = "paho-mqtt, dict, log line";
const ROWS = "mqtt.js, SQLite, one row per cell";
const REDIS = "mqtt.js, Redis, pipelined HSET";
const SOCKETS = "a broker that only acknowledges";

const STORES = { [MEMORY]: "memory", [SQLITE]: "sqlite" } as const;

/** All cases of ingest. */
export function ingestCases(size: Size): Case[] {
  return [
    onePerMessage(size, 0),
    onePerMessage(size, 1),
    embeddedQos0(size),
    embeddedQos1(size),
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
    title: `1 reading per message, QoS ${qos}, Mosquitto`,
    settings: settingsOf(shape),
    subjects: [
      other(MOSQUITTO_SUB, mosquittoSub, shape),
      ...ourServers("mosquitto", shape, size),
      other(MAP, subscriber("bare_map.ts"), shape),
      other(ORIGINAL, subscriber("original.py"), shape),
      ...(qos === 0 ? [] : [
        other(ROWS, subscriber("row_per_cell.ts"), shape),
        other(REDIS, subscriber("redis_hset.ts", { redis: true }), shape),
      ]),
    ],
    goals: [
      messages("ratio to mosquitto_sub", SQLITE, MOSQUITTO_SUB, 0.95),
      messages("ratio to the original script", SQLITE, ORIGINAL, 2),
      ...(qos === 0 ? [] : [
        messages("ratio to the memory store", SQLITE, MEMORY, 0.5),
      ]),
    ],
  };
}

function embeddedQos0(size: Size): Case {
  const shape = embeddedShape(size, 0);
  return {
    name: "embedded-qos0",
    title: "1 reading per message, QoS 0, embedded broker",
    settings: settingsOf(shape),
    subjects: [
      other(SOCKETS, broker("bare_ingest.ts"), shape),
      ...ourServers("embedded", shape, size),
    ],
  };
}

function embeddedQos1(size: Size): Case {
  const shape = embeddedShape(size, 1);
  const { window } = shape;
  const inFlight = (messages: number) => `${SQLITE}, ${messages} in flight`;
  const mqtt5 = `${SQLITE}, MQTT 5, ${window} in flight`;
  const memory = { transport: "embedded", store: "memory" } as const;
  const sqlite = { transport: "embedded", store: "sqlite" } as const;
  return {
    name: "embedded-qos1",
    title: "1 reading per message, QoS 1, embedded broker",
    settings: settingsOf(shape),
    subjects: [
      // Fewer messages, because it is slow.
      other(MOSQUITTO_SUB, mosquittoSub, {
        ...shape,
        warmUp: size.count(20_000),
        messages: size.count(150_000),
      }),
      other(SOCKETS, broker("bare_ingest.ts"), shape),
      ...ourServer(MEMORY, memory, shape, size),
      ...[1000, window, 20_000].flatMap((window) =>
        ourServer(inFlight(window), sqlite, { ...shape, window }, size)
      ),
      ...ourServer(mqtt5, sqlite, { ...shape, version: 5 }, size),
    ],
    goals: [
      rate(inFlight(1000), 1_000_000),
      rate(inFlight(window), 2_000_000),
      messages("ratio to mosquitto_sub", inFlight(window), MOSQUITTO_SUB, 12),
      messages("ratio to MQTT 3.1.1", mqtt5, inFlight(window), 0.9),
    ],
  };
}

function embeddedShape(size: Size, qos: 0 | 1): IngestShape {
  return {
    qos,
    readingsPerMessage: 1,
    warmUp: size.count(400_000),
    messages: size.count(4_000_000),
    cells: 10_000,
    order: "sweep",
    window: 4000,
  };
}

function manyPerMessage(size: Size, readingsPerMessage: 100 | 1000): Case {
  const shape = manyShape(size, readingsPerMessage);
  const slow = readingsPerMessage === 100
    ? [
      // Fewer messages, because these are slow.
      other(ROWS, subscriber("row_per_cell.ts"), {
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
    title: `${readingsPerMessage} readings per message, QoS 1, Mosquitto`,
    settings: settingsOf(shape),
    subjects: [
      other(PARSER, subscriber("bare_parser.ts"), shape),
      ...ourServers("mosquitto", shape, size),
      other(MAP, subscriber("bare_map.ts"), shape),
      ...slow,
    ],
    goals: readingsPerMessage === 100
      ? [
        readings("ratio to parsing only", MEMORY, PARSER, 0.8),
        readings("ratio to the memory store", SQLITE, MEMORY, 0.4),
        readings("ratio to one row per cell", SQLITE, ROWS, 15),
      ]
      : [readings("ratio to the memory store", SQLITE, MEMORY, 0.4)],
  };
}

function manyEmbedded(size: Size): Case {
  // More than a group in flight: the server works while the client sends.
  const shape = { ...manyShape(size, 100), window: 400 };
  return {
    name: "embedded-many-100",
    title: "100 readings per message, QoS 1, embedded broker",
    settings: settingsOf(shape),
    subjects: [
      other(SOCKETS, broker("bare_ingest.ts"), shape),
      ...ourServers("embedded", shape, size),
    ],
    goals: [
      readings("ratio to the memory store", SQLITE, MEMORY, 0.4),
      { ...rate(MEMORY, 9_000_000), figure: "readingsPerSecond" },
      { ...rate(SQLITE, 6_000_000), figure: "readingsPerSecond" },
    ],
  };
}

function manyShape(size: Size, readingsPerMessage: number): IngestShape {
  return {
    qos: 1,
    readingsPerMessage,
    // The warm-up creates all cells.
    warmUp: size.count(1_000_000) / readingsPerMessage,
    messages: size.count(8_000_000) / readingsPerMessage,
    cells: size.count(1_000_000),
    order: "sweep",
    window: 20_000 / readingsPerMessage,
  };
}

/** Our server with each store. */
function ourServers(
  transport: Transport,
  shape: IngestShape,
  size: Size,
): Subject[] {
  return Object.entries(STORES).flatMap(([name, store]) =>
    ourServer(name, { transport, store }, shape, size)
  );
}

/** Our server, whose map is checked after each trial. */
function ourServer(
  name: string,
  options: OccupancyOptions,
  shape: IngestShape,
  size: Size,
): Subject[] {
  return ourSubjects(
    name,
    size,
    (root) => ingest(occupancy({ ...options, root }), shape, { checked: true }),
  );
}

function other(name: string, start: StartSystem, shape: IngestShape): Subject {
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

function rate(subject: string, atLeast: number): Goal {
  return { what: "rate", figure: "messagesPerSecond", subject, atLeast };
}
