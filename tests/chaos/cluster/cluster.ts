/**
 * Sends readings through several brokers into a group of servers, while servers
 * and masters of Redis fail, and checks that nothing is lost.
 *
 * @module
 */
import { delay } from "../../../src/common/async.ts";
import { Lab } from "../../../tools/cluster/lab.ts";
import type { Model } from "../../grid/model.ts";
import { until } from "../../support/until.ts";
import { Publisher } from "../publisher.ts";
import { planWorkload, randomFrom, type Workload } from "../workload.ts";
import { JournalRecorder } from "../../cluster/journal_model.ts";
import { Failures, planFailures } from "./failures.ts";
import {
  checkLayer,
  differences,
  type LayerMap,
  layerOfModel,
  readLayer,
} from "./maps.ts";
import { Requester } from "./requester.ts";

/** Options of {@linkcode runClusterChaos}. */
export interface ClusterChaosOptions {
  readonly readings: number;
  /** How often a server is killed. */
  readonly kills: number;
  readonly seed: number;
  /** How long the readings are sent, in s. */
  readonly seconds: number;
  /** Replicas of each master of Redis. Default 1. */
  readonly replicas?: number;
  /** How long a master stands still, in ms. Default 6,000. */
  readonly freezeMs?: number;
}

/** The result of a run. */
export interface ClusterChaosReport {
  readonly acknowledged: number;
  readonly requests: number;
  /** Requests that were answered with an error, such as `store-failing`. */
  readonly refused: number;
  /** Requests that were never answered. */
  readonly unanswered: number;
  /** Requests that were answered more than once, with times. */
  readonly repeated: readonly string[];
  /** The longest time until an answer, in ms. */
  readonly longestWait: number;
  /** Cells that are missing or have the value of an earlier reading. */
  readonly lost: readonly string[];
  /** Cells with a value or a time that was never sent for them. */
  readonly invented: readonly string[];
  /** Differences between the maps of the servers. */
  readonly different: readonly string[];
  readonly cells: number;
  /** How many maps were compared: those of servers, and the model. */
  readonly maps: number;
  /** Time from the last acknowledgement until all maps were complete, in ms. */
  readonly settledMs: number;
  /** What happened, with times. */
  readonly failures: readonly string[];
}

/** Layers in several shards. */
const LAYERS = ["hall", "yard", "roof", "dock", "gate", "lift"];
const SERVERS = 3;
const BROKERS = 2;
/** Time in which all that was acknowledged must be in all maps, in ms. */
const SETTLE_TIMEOUT_MS = 60_000;
/** Time that a killed node of Redis is away after it was replaced, in ms. */
const AWAY_MS = 1000;
const PACE_INTERVAL_MS = 10;

/** Runs it. */
export async function runClusterChaos(
  options: ClusterChaosOptions,
): Promise<ClusterChaosReport> {
  const { seed, seconds, kills, replicas = 1, freezeMs = 6000 } = options;
  const random = randomFrom(~seed);
  const workloads = planLayers(options);
  await using lab = await Lab.start({
    ...{ replicas, members: SERVERS, brokers: BROKERS },
  });
  await using journals = await JournalRecorder.start(lab.store);
  const planned = planFailures(
    { kills, servers: SERVERS },
    random,
  );
  await using requesters = await startRequesters(lab);

  const failures = new Failures(lab, { freezeMs, awayMs: AWAY_MS });
  const start = performance.now();
  // Readings are sent at an even rate, but not beyond the next failure before
  // it has begun.
  let share = 0;
  const pace = async (upTo: number) => {
    while (share < upTo) {
      const elapsed = performance.now() - start;
      const next = planned[0]?.share ?? Infinity;
      share = Math.max(share, Math.min(elapsed / (1000 * seconds), next));
      if (share < upTo) await delay(PACE_INTERVAL_MS);
    }
  };
  const failing = (async () => {
    const running: Promise<void>[] = [];
    for (let next; (next = planned[0]) !== undefined;) {
      const at = next.share;
      await until(() => share >= at, { deadline: 1000 * seconds + 60_000 });
      planned.shift();
      await delay(10 * random()); // between receipt and acknowledgement
      running.push(failures.run(next.failure));
    }
    await Promise.all(running);
  })();
  const fleet = lab.brokers.map(({ port }, i) =>
    new Publisher({
      port,
      clientId: `chaos-${i}`,
      messages: messagesOf(workloads, i),
      beforeSending: pace,
    })
  );
  await Promise.all([...fleet.map((one) => one.run()), failing]);
  const sentAt = performance.now();
  let settled = await settle(lab, workloads);
  const settledMs = performance.now() - sentAt;
  const { list } = requesters;
  await Promise.all(list.map((one) => one.stop()));
  await until(() => list.every((one) => one.open === 0), {
    deadline: 20_000,
  }).catch(() => {}); // the report says so
  // One that joins now has the same map, with the same revisions; so has one
  // that applies the journals by itself.
  await lab.addMember();
  settled = await settle(lab, workloads);
  const wrong = await compareModels(lab, await journals.models());
  return {
    ...settled,
    different: [...settled.different, ...wrong],
    maps: lab.members.length + 1,
    acknowledged: sum(fleet, ({ acknowledged }) => acknowledged),
    requests: sum(list, ({ count }) => count),
    refused: sum(list, ({ refused }) => refused),
    unanswered: sum(list, ({ open }) => open),
    repeated: list.flatMap((one) => one.repeated(start)),
    longestWait: Math.max(...list.map(({ longestWait }) => longestWait)),
    settledMs,
    failures: failures.log,
  };
}

/** Plans the readings of each layer. */
function planLayers(
  { readings, seed }: ClusterChaosOptions,
): Map<string, Workload> {
  const now = Date.now();
  return new Map(LAYERS.map((layer, i) => {
    const from = Math.round(readings * i / LAYERS.length);
    const to = Math.round(readings * (i + 1) / LAYERS.length);
    return [
      layer,
      planWorkload({
        readings: to - from,
        publishers: BROKERS,
        seed: seed + i,
        now,
      }),
    ];
  }));
}

/** The messages of a publisher: those of all layers in turn. */
function messagesOf(workloads: Map<string, Workload>, publisher: number) {
  const queues = [...workloads].map(([layer, { publishers }]) =>
    publishers[publisher]!.map((message) => ({
      ...message,
      topic: `occupancy/data/${layer}`,
    }))
  );
  const longest = Math.max(...queues.map(({ length }) => length));
  return Array.from(
    { length: longest },
    (_, i) => queues.flatMap((queue) => queue[i] ?? []),
  ).flat();
}

async function startRequesters(lab: Lab) {
  const list = await Promise.all(
    lab.brokers.map(({ port, name }) =>
      Requester.start(port, `asks-${name}`, LAYERS)
    ),
  );
  return {
    list,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(list.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

/** Waits until all maps are complete and equal, or for a time, and compares. */
async function settle(
  lab: Lab,
  workloads: Map<string, Workload>,
): Promise<Comparison> {
  const end = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    try {
      const result = await compareAll(lab, workloads);
      const isComplete = result.lost.length + result.different.length === 0;
      if (isComplete || performance.now() > end) return result;
    } catch (error) {
      // A server shows nothing while it has no connection to a broker.
      if (performance.now() > end) throw error;
    }
    await delay(250);
  }
}

type Comparison = Pick<
  ClusterChaosReport,
  "lost" | "invented" | "different" | "cells"
>;

async function compareAll(
  lab: Lab,
  workloads: Map<string, Workload>,
): Promise<Comparison> {
  const lost: string[] = [];
  const invented: string[] = [];
  const different: string[] = [];
  let cells = 0;
  for (const [layer, workload] of workloads) {
    const maps = await Promise.all(
      lab.members.map(({ url }) => readLayer(url, layer)),
    );
    const checked = checkLayer(workload, maps[0]!);
    const named = (text: string) => `${layer}: ${text}`;
    lost.push(...checked.lost.map(named));
    invented.push(...checked.invented.map(named));
    different.push(...await compareLayer(lab, layer, maps));
    cells += maps[0]!.cells.size;
  }
  return { lost, invented, different, cells };
}

/** Compares what the servers show of a layer, and what changed in its half. */
async function compareLayer(
  { members }: Lab,
  layer: string,
  maps: readonly LayerMap[],
): Promise<string[]> {
  const half = Math.floor(maps[0]!.revision / 2);
  const changes = await Promise.all(
    members.map(({ url }) => readLayer(url, layer, half)),
  );
  return maps.slice(1).flatMap((map, i) => {
    const names = `${layer}: ${members[0]!.name} and ${members[i + 1]!.name}`;
    return [
      ...differences(maps[0]!, map, names),
      ...differences(changes[0]!, changes[i + 1]!, `${names} since ${half}`),
    ];
  });
}

/** Compares the map of a server with models of its shards. */
async function compareModels(
  { members: [server] }: Lab,
  models: readonly Model[],
): Promise<string[]> {
  const found = await Promise.all(LAYERS.map(async (layer) =>
    differences(
      await readLayer(server!.url, layer),
      layerOfModel(models, layer),
      `${layer}: ${server!.name} and the model`,
    )
  ));
  return found.flat();
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
