/**
 * The metrics of a server, in the text format of Prometheus. docs/HTTP.md lists
 * them.
 *
 * @module
 */
import process from "node:process";
import { printable } from "../../common/printable.ts";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import {
  addCounts,
  type CellCounts,
  mapBytes,
  NO_CELLS,
} from "../../grid/mod.ts";
import type { HttpContext, ReadableMap } from "../context.ts";
import type { ViewerCounts } from "../feed/live_feed.ts";
import type { Limits } from "../limits.ts";
import { brokerCounters, brokerGauges, linkGauges } from "./broker_metrics.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";
import { historyCounters, historyGauges } from "./history_metrics.ts";
import { sharedCounters, sharedGauges } from "./shared_metrics.ts";
import { webhookCounters, webhookGauges } from "./webhook_metrics.ts";
import { ZoneCounters, zoneGauges } from "./zone_metrics.ts";

/** Responses whose bytes are counted. */
export type SentKind = "cells" | "changes" | "history";

/** Upper bounds of the buckets of histograms. */
const COMMIT_DURATION_BUCKETS_S = [
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
const COMMIT_READINGS_BUCKETS = [
  ...[1, 3, 10, 30, 100, 300],
  ...[1000, 3000, 10_000, 100_000],
];
const REQUEST_DURATION_BUCKETS_S = [
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
/**
 * Maximum number of layers with a label: labels are expensive in Prometheus.
 */
export const MAX_LAYER_LABELS = 100;
/**
 * The label of all other layers; not a valid name of a layer because of `+`.
 */
export const OTHER_LAYERS = "+others";

/** The objects from which {@linkcode Metrics} reads values. */
export interface MetricsSources {
  readonly context: HttpContext;
  readonly limits: Limits;
  readonly viewers: Readonly<ViewerCounts>;
  /** Returns the number of open connections. */
  readonly connections: () => number;
}

/** An HTTP request whose response has started. */
export interface AnsweredRequest {
  readonly method: string;
  /** The path of its route; `none` if no route matched. */
  readonly route: string;
  /** Status code of the response. */
  readonly status: number;
  /** Time until the response started, in ms. */
  readonly ms: number;
}

/** Records durations and sent bytes; computes all other metrics at a scrape. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #sent: Record<SentKind, number> = {
    cells: 0,
    changes: 0,
    history: 0,
  };
  readonly #requests: Histogram<"method" | "route" | "code">;
  /** Edits of zones are counted here. */
  readonly zones: ZoneCounters;

  constructor(sources: MetricsSources) {
    const { context } = sources;
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: "occupancy_http_request_duration_seconds",
      help:
        "Time from an HTTP request to the beginning of its response, by route and status code.",
      labelNames: ["method", "route", "code"],
      buckets: REQUEST_DURATION_BUCKETS_S,
      registers,
    });
    const commitSeconds = new Histogram({
      name: "occupancy_commit_duration_seconds",
      help: "Time that the store took to commit a group of readings.",
      buckets: COMMIT_DURATION_BUCKETS_S,
      registers,
    });
    const commitReadings = new Histogram({
      name: "occupancy_commit_readings",
      help: "Number of readings in a commit.",
      buckets: COMMIT_READINGS_BUCKETS,
      registers,
    });
    context.observeCommits((ms, readings) => {
      commitSeconds.observe(ms / 1000);
      commitReadings.observe(readings);
    });
    const mqttRequests = new Histogram({
      name: "occupancy_mqtt_request_duration_seconds",
      help:
        "Time from the arrival of an MQTT request until the broker had the last part of the reply.",
      buckets: REQUEST_DURATION_BUCKETS_S,
      registers,
    });
    context.observeRequests((ms) => mqttRequests.observe(ms / 1000));
    const { link } = context;
    const webhooks = () => context.webhooks();
    for (const one of counters(sources, this.#sent)) this.#add(Counter, one);
    for (const one of brokerCounters(link)) this.#add(Counter, one);
    for (const one of webhookCounters(webhooks)) this.#add(Counter, one);
    const store = () => context.store();
    for (const one of sharedCounters(store)) this.#add(Counter, one);
    for (const one of sharedGauges(store)) this.#add(Gauge, one);
    const { history } = context;
    for (const one of historyCounters(history)) this.#add(Counter, one);
    for (const one of historyGauges(history)) this.#add(Gauge, one);
    for (const one of gauges(sources)) this.#add(Gauge, one);
    for (const one of linkGauges(link)) this.#add(Gauge, one);
    for (const one of brokerGauges(link)) this.#add(Gauge, one);
    this.zones = new ZoneCounters(context.zones);
    for (const one of this.zones.metrics()) this.#add(Counter, one);
    for (const one of zoneGauges(context.zones)) this.#add(Gauge, one);
    for (const one of webhookGauges(webhooks)) this.#add(Gauge, one);
  }

  /** The media type of {@linkcode Metrics.render}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Records the duration of an HTTP request. */
  observeRequest({ method, route, status, ms }: AnsweredRequest): void {
    this.#requests.labels(method, route, String(status)).observe(ms / 1000);
  }

  /** Adds to the bytes sent in responses. */
  addSentBytes(kind: SentKind, bytes: number): void {
    this.#sent[kind] += bytes;
  }

  /** Returns all metrics with their current values. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  #add(
    Metric: typeof Counter | typeof Gauge,
    { name, help, labels = [], read }: ComputedMetric,
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

/** Metrics that only increase. */
function counters(
  { context: { counts }, limits, viewers }: MetricsSources,
  sent: Readonly<Record<SentKind, number>>,
): ComputedMetric[] {
  return [
    {
      name: "occupancy_readings_total",
      help:
        "Readings by outcome: changed a cell, renewed it, or refused for a reason. A payload refused as a whole counts as one.",
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
      help: "Messages with readings, over MQTT and HTTP, also refused ones.",
      read: () => single(counts.messages),
    },
    {
      name: "occupancy_received_bytes_total",
      help: "Bytes of the payloads of messages with readings.",
      read: () => single(counts.bytes),
    },
    {
      name: "occupancy_removed_cells_total",
      help:
        "Cells that were removed because they were unknown for longer than --remove-after.",
      read: () => single(counts.removedCells),
    },
    {
      name: "occupancy_mqtt_requests_total",
      help: "Answered MQTT requests for the map.",
      read: () => single(counts.requests),
    },
    {
      name: "occupancy_limited_total",
      help:
        "Connections, requests and answers that were refused, delayed or cut because of a limit; docs/SECURITY.md lists the limits. Refused readings are in occupancy_readings_total.",
      labels: ["limit"],
      *read() {
        for (const reached of [counts.limited, limits.reached]) {
          for (const [limit, count] of reached) yield [count, { limit }];
        }
      },
    },
    {
      name: "occupancy_sent_bytes_total",
      help:
        "Bytes sent over HTTP: to viewers of the live feed, as cells and answers about the past (before compression), and as streams of changes.",
      labels: ["kind"],
      read: () => [
        [viewers.sentBytes, { kind: "live" }],
        [sent.cells, { kind: "cells" }],
        [sent.changes, { kind: "changes" }],
        [sent.history, { kind: "history" }],
      ],
    },
    {
      name: "process_cpu_seconds_total",
      help: "Processor time used by the server, in seconds.",
      read() {
        const { user, system } = process.cpuUsage();
        return single((user + system) / 1e6);
      },
    },
  ];
}

/** Metrics that increase and decrease. */
function gauges(sources: MetricsSources): ComputedMetric[] {
  const { context, limits, viewers, connections } = sources;
  const { map } = context;
  return [
    {
      name: "occupancy_cells",
      help: "Cells by layer and status.",
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
      help: "Sum of the values of occupied cells, by layer.",
      labels: ["layer"],
      *read() {
        for (const [layer, { people }] of countsByLabel(map)) {
          yield [people, { layer }];
        }
      },
    },
    {
      name: "occupancy_layers",
      help: "Number of layers with cells.",
      read: () => single([...map.layers()].length),
    },
    {
      name: "occupancy_map_bytes",
      help: "Memory of the cells and layers, in bytes.",
      read: () => single(mapBytes(map)),
    },
    ...cellLimits(context),
    {
      name: "occupancy_sources",
      help: "Sources that have sent readings, by whether they are silent.",
      labels: ["state"],
      read() {
        const { size, silent } = context.sources;
        return [
          [size - silent, { state: "reporting" }],
          [silent, { state: "silent" }],
        ];
      },
    },
    {
      name: "occupancy_revision",
      help: "Revision of the map.",
      read: () => single(map.revision),
    },
    {
      name: "occupancy_store_up",
      help: "1 while the store works, otherwise 0.",
      read: () => single(Number(context.store().problem === undefined)),
    },
    {
      name: "occupancy_http_connections",
      help: "Open connections of HTTP, of idle clients too.",
      read: () => single(connections()),
    },
    {
      name: "occupancy_viewers",
      help: "Viewers of the live feed.",
      read: () => single(viewers.current),
    },
    {
      name: "occupancy_change_streams",
      help: "Clients of /api/v1/changes.",
      read: () => single(limits.streams.used),
    },
    {
      name: "occupancy_build_info",
      help: "Always 1; the label has the version of occupancy.",
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
      help: "Resident memory of the server, in bytes.",
      read: () => single(Deno.memoryUsage().rss),
    },
    {
      name: "process_heap_bytes",
      help: "Memory of JavaScript objects, in bytes.",
      read: () => single(Deno.memoryUsage().heapUsed),
    },
  ];
}

/** A limit that is not set has no metric. */
function cellLimits({ cellLimits }: HttpContext): ComputedMetric[] {
  const { maxBytes, maxCells, maxLayerCells } = cellLimits;
  const limits = [
    ["map_max_bytes", "Memory at which new cells are refused.", maxBytes],
    ["max_cells", "Maximum number of cells in all layers.", maxCells],
    ["max_layer_cells", "Maximum number of cells in a layer.", maxLayerCells],
  ] as const;
  return limits.flatMap(([name, help, limit]) =>
    limit === undefined
      ? []
      : [{ name: `occupancy_${name}`, help, read: () => single(limit) }]
  );
}

/** Returns the counts of the layers by label. */
export function countsByLabel(map: ReadableMap): Map<string, CellCounts> {
  const counts = new Map<string, CellCounts>();
  for (const [name, grid] of map.layers()) {
    const label = counts.size < MAX_LAYER_LABELS
      ? printable(name)
      : OTHER_LAYERS;
    const before = counts.get(label) ?? NO_CELLS;
    counts.set(label, addCounts(before, grid.counts()));
  }
  return counts;
}
