/**
 * Kills a server repeatedly during ingest, then checks that its map has every
 * acknowledged reading.
 *
 * @module
 */
import type { MapView } from "../../src/request/mod.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import type { BrokerKind } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { Killer, momentsOf } from "./killer.ts";
import { Publisher } from "./publisher.ts";
import { KeptSubscriber, sendLast } from "./subscriber.ts";
import { planWorkload, randomFrom, type Workload } from "./workload.ts";

/** Options of {@linkcode runChaos}. */
export interface ChaosOptions {
  readonly broker: BrokerKind;
  readonly readings: number;
  /** How often the server is killed. */
  readonly kills: number;
  readonly seed: number;
  /** Default 2. */
  readonly publishers?: number;
  readonly durability?: "commit" | "fsync";
}

/** The result of a run. */
export interface ChaosReport {
  /** Acknowledged readings: all that were sent. */
  readonly acknowledged: number;
  readonly messages: number;
  /** Messages sent again after a lost connection. */
  readonly resent: number;
  /** Cells that are missing or have the value of an earlier reading. */
  readonly lost: readonly string[];
  /** Cells with a value that was never sent for them. */
  readonly invented: readonly string[];
  readonly cells: number;
  /**
   * Messages that a subscriber of the embedded broker did not receive, or
   * received before an earlier one.
   */
  readonly undelivered: readonly string[];
  /** Time from each kill until the server was ready again, ms. */
  readonly recoveries: readonly number[];
  /** Time from the first reading to the last acknowledgement, ms. */
  readonly duration: number;
}

/**
 * Sends a workload while the server is killed, then compares the map with the
 * expected one.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { broker, readings, seed, publishers = 2 } = options;
  const startedAt = Date.now();
  const workload = planWorkload({ ...options, publishers, now: startedAt });
  await using folder = await tempDir();
  await using mosquitto = broker === "mosquitto"
    ? await startMosquitto(await documentedSettings(folder.path))
    : undefined;
  const port = mosquitto?.port ?? freePort();
  const args = [
    "server",
    ...(mosquitto
      ? ["--broker", mosquitto.url]
      : ["--listen", `127.0.0.1:${port}`]),
    "--store",
    `sqlite:${folder.path}/map.sqlite`,
    "--durability",
    options.durability ?? "fsync",
    // One subscriber is away until the end.
    ...(mosquitto
      ? []
      : ["--mqtt-queue", `${readings}`, "--mqtt-queue-bytes", "256MiB"]),
  ];

  await using killer = await Killer.start(args);
  const fleet = workload.publishers.map((messages, i) =>
    new Publisher({
      port,
      clientId: `chaos-${i}`,
      messages,
      beforeSending: (share) => killer.waitForRestart(share),
    })
  );
  const subscribers = mosquitto ? [] : await subscribe(port);
  const start = performance.now();
  const killing = killer.run({
    moments: momentsOf(options.kills, randomFrom(~seed)),
    progress: () => sum(fleet, ({ progress }) => progress) / fleet.length,
  });
  await Promise.all([...fleet.map((publisher) => publisher.run()), killing]);
  const duration = performance.now() - start;

  const undelivered = await endSubscribers(subscribers, workload, port);
  const view = await requestMap(`mqtt://127.0.0.1:${port}`);
  return {
    ...compare(workload, view, startedAt),
    acknowledged: sum(fleet, ({ acknowledged }) => acknowledged),
    messages: sum(workload.publishers, ({ length }) => length),
    resent: sum(fleet, ({ resent }) => resent),
    cells: view.cells.length,
    undelivered,
    recoveries: killer.recoveries,
    duration,
  };
}

/** Starts a subscriber, and one that is away until the end. */
async function subscribe(port: number): Promise<KeptSubscriber[]> {
  const present = new KeptSubscriber(port, "chaos-present");
  const away = new KeptSubscriber(port, "chaos-away");
  for (const one of [present, away]) await one.subscribe();
  present.start();
  return [present, away];
}

/** Returns what subscribers did not receive, or in another order. */
async function endSubscribers(
  subscribers: readonly KeptSubscriber[],
  { publishers }: Workload,
  port: number,
): Promise<string[]> {
  if (subscribers.length === 0) return [];
  await sendLast(port);
  await Promise.all(subscribers.map((one) => one.end()));
  return subscribers.flatMap((one) => [
    ...one.missing(publishers),
    ...one.disordered(publishers),
  ]);
}

/** Requests the map. The server replies after it has processed all readings. */
async function requestMap(url: string): Promise<MapView> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  const { Requester } = await import("../../src/request/mod.ts");
  const { Topics } = await import("../../src/protocol/mod.ts");
  const requester = new Requester({
    topics: new Topics(),
    name: "chaos-judge",
  });
  const link = new Connection({
    url,
    clientId: requester.name,
    subscriptions: requester.subscriptions,
  });
  await link.open(requester.handlersFor(link));
  try {
    return await requester.request(link, { timeout: 60_000 });
  } finally {
    await link.close();
  }
}

/** Finds the differences between the map and the expected one. */
function compare(
  { expected, publishers }: Workload,
  { cells, time }: MapView,
  startedAt: number,
): { lost: string[]; invented: string[] } {
  const sent = new Set<string>();
  for (const { readings } of publishers.flat()) {
    for (const { x, y, value } of readings) sent.add(`${x},${y}=${value}`);
  }
  const found = new Map<string, number>();
  const invented: string[] = [];
  for (let i = 0; i < cells.length; i++) {
    const cell = `${cells.x[i]},${cells.y[i]}`;
    found.set(cell, i);
    const shown = `${cell}=${cells.value[i]}`;
    if (!sent.has(shown)) invented.push(shown);
  }
  const lost: string[] = [];
  for (const [cell, { value, time: observed }] of expected) {
    const i = found.get(cell);
    const at = i === undefined ? NaN : cells.time[i]!;
    const timeIsRight = observed === undefined
      ? at >= startedAt && at <= time!
      : at === observed;
    if (i === undefined || cells.value[i] !== value || !timeIsRight) {
      const shown = i === undefined ? "nothing" : `${cells.value[i]} of ${at}`;
      lost.push(
        `${cell}=${value} of ${
          observed ?? `${startedAt} to ${time}`
        }: ${shown}`,
      );
    }
  }
  return { lost, invented };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
