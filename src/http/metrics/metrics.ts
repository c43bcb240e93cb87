import process from "node:process";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { HttpContext } from "../context.ts";
import type { Limits } from "../limits.ts";
import { countsByLabel } from "./cells.ts";

/** What is sent besides small answers. */
export type SentKind = "cells" | "changes";

const COMMIT_SECONDS = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  1,
];
const COMMIT_READINGS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000];
const REQUEST_SECONDS = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  10,
];

/** A number that is looked up when it is asked for. */
interface Looked {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** The values, each with its labels. */
  read(): Iterable<readonly [value: number, labels: Record<string, string>]>;
}

/**
 * The metrics of a server in the text form of Prometheus. What the server counts
 * anyway is looked up when it is asked for and costs nothing until then.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #sent: Record<SentKind, number> = { cells: 0, changes: 0 };
  readonly #requests: Histogram<"method" | "route" | "code">;

  constructor(context: HttpContext, limits: Limits) {
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: "occupancy_http_request_duration_seconds",
      help:
        "How long requests over HTTP took until their answer began, by route and status code.",
      labelNames: ["method", "route", "code"],
      buckets: REQUEST_SECONDS,
      registers,
    });
    const commitSeconds = new Histogram({
      name: "occupancy_commit_duration_seconds",
      help: "How long the store took to keep a group of readings.",
      buckets: COMMIT_SECONDS,
      registers,
    });
    const commitReadings = new Histogram({
      name: "occupancy_commit_readings",
      help: "How many readings were kept together.",
      buckets: COMMIT_READINGS,
      registers,
    });
    context.observeCommits((ms, readings) => {
      commitSeconds.observe(ms / 1000);
      commitReadings.observe(readings);
    });
    const mqttRequests = new Histogram({
      name: "occupancy_mqtt_request_duration_seconds",
      help:
        "How long requests over MQTT took from their arrival until the broker had the last part of the reply.",
      buckets: REQUEST_SECONDS,
      registers,
    });
    context.observeRequests((ms) => mqttRequests.observe(ms / 1000));
    for (const one of counters(context, this.#sent)) this.#add(Counter, one);
    for (const one of gauges(context, limits)) this.#add(Gauge, one);
  }

  /** The type of what {@linkcode Metrics.render} returns. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** A request was answered, or began to be. */
  answered(method: string, route: string, code: number, ms: number): void {
    this.#requests.labels(method, route, String(code)).observe(ms / 1000);
  }

  /** Bytes of an answer went out. */
  sent(kind: SentKind, bytes: number): void {
    this.#sent[kind] += bytes;
  }

  /** All of them, as they are now. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  #add(
    Metric: typeof Counter | typeof Gauge,
    { name, help, labels = [], read }: Looked,
  ): void {
    new Metric({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, of] of read()) this.inc(of, value);
      },
    });
  }
}

const single = (value: number) => [[value, {}]] as const;

/** What only ever rises. */
function counters(
  context: HttpContext,
  sent: Readonly<Record<SentKind, number>>,
): Looked[] {
  const { counts, viewers } = context;
  return [
    {
      name: "occupancy_readings_total",
      help:
        "Readings by outcome: changed a cell, renewed it, or refused for a reason; a whole payload that is refused counts as one.",
      labels: ["outcome", "reason"],
      *read() {
        const renewed = counts.accepted - counts.changed;
        yield [counts.changed, { outcome: "changed", reason: "" }];
        yield [renewed, { outcome: "renewed", reason: "" }];
        for (const [reason, count] of counts.refused) {
          yield [count, { outcome: "refused", reason }];
        }
      },
    },
    {
      name: "occupancy_messages_total",
      help: "Messages with readings that were taken in, by MQTT and by HTTP.",
      read: () => single(counts.messages),
    },
    {
      name: "occupancy_received_bytes_total",
      help: "Bytes of the payloads of these messages.",
      read: () => single(counts.bytes),
    },
    {
      name: "occupancy_mqtt_requests_total",
      help: "Requests for the map over MQTT that were answered.",
      read: () => single(counts.requests),
    },
    {
      name: "occupancy_sent_bytes_total",
      help:
        "Bytes sent over HTTP, cells before their compression: to viewers of the live map, as cells, as streams of changes.",
      labels: ["kind"],
      read: () => [
        [viewers.sentBytes, { kind: "live" }],
        [sent.cells, { kind: "cells" }],
        [sent.changes, { kind: "changes" }],
      ],
    },
    {
      name: "process_cpu_seconds_total",
      help: "Processor time that the server has used, in seconds.",
      read() {
        const { user, system } = process.cpuUsage();
        return single((user + system) / 1e6);
      },
    },
  ];
}

/** What rises and falls. */
function gauges(context: HttpContext, limits: Limits): Looked[] {
  const { map, viewers } = context;
  return [
    {
      name: "occupancy_cells",
      help: "Cells by layer and by what they say.",
      labels: ["layer", "state"],
      *read() {
        for (const [layer, counts] of countsByLabel(map)) {
          for (
            const state of ["free", "occupied", "unknown", "stale"] as const
          ) {
            yield [counts[state], { layer, state }];
          }
        }
      },
    },
    {
      name: "occupancy_people",
      help: "The sum of the values of occupied cells, by layer.",
      labels: ["layer"],
      *read() {
        for (const [layer, { people }] of countsByLabel(map)) {
          yield [people, { layer }];
        }
      },
    },
    {
      name: "occupancy_layers",
      help: "Layers that have cells.",
      read: () => single([...map.layers()].length),
    },
    {
      name: "occupancy_revision",
      help: "The revision of the map.",
      read: () => single(map.revision),
    },
    {
      name: "occupancy_broker_up",
      help: "1 while the broker is joined, else 0.",
      read: () => single(Number(context.link().up)),
    },
    {
      name: "occupancy_broker_since_timestamp_seconds",
      help: "Since when the broker is joined or lost, in seconds since 1970.",
      read: () => single(context.link().since / 1000),
    },
    ...brokerClients(context),
    {
      name: "occupancy_store_up",
      help: "1 while the store keeps what it is given, else 0.",
      read: () => single(Number(context.store().problem === undefined)),
    },
    {
      name: "occupancy_viewers",
      help: "Viewers of the live map.",
      read: () => single(viewers.current),
    },
    {
      name: "occupancy_change_streams",
      help: "Clients that follow /api/v1/changes.",
      read: () => single(limits.streams),
    },
    {
      name: "occupancy_build_info",
      help: "1, with the version of occupancy.",
      labels: ["version"],
      read: () => [[1, { version: context.version }]],
    },
    {
      name: "process_start_time_seconds",
      help: "When the server started, in seconds since 1970.",
      read: () => single(context.started / 1000),
    },
    {
      name: "process_resident_memory_bytes",
      help: "Memory that the server has, in bytes.",
      read: () => single(Deno.memoryUsage().rss),
    },
    {
      name: "process_heap_bytes",
      help: "Memory of JavaScript objects, in bytes.",
      read: () => single(Deno.memoryUsage().heapUsed),
    },
  ];
}

/** Known of the embedded broker only; of another nothing is said, rather than 0. */
function brokerClients({ link }: HttpContext): Looked[] {
  if (link().clients === undefined) return [];
  return [{
    name: "occupancy_broker_clients",
    help:
      "Clients connected to the embedded broker: those that subscribe and those that only send.",
    read: () => single(link().clients ?? 0),
  }];
}
