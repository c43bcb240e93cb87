/**
 * A server that is killed again and again while readings pour in, and the
 * question whether any that was acknowledged is gone.
 *
 * @module
 */
import type { MapView } from "../../src/request/mod.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy, type Running } from "../support/processes.ts";
import type { BrokerKind } from "../support/system.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { documentedSettings } from "./documented_settings.ts";
import { Publisher } from "./publisher.ts";
import { planWorkload, randomFrom, type Workload } from "./workload.ts";

/** How a run is set up. */
export interface ChaosOptions {
  readonly broker: BrokerKind;
  readonly readings: number;
  /** How many times the server is killed. */
  readonly kills: number;
  readonly seed: number;
  /** Default 2. */
  readonly publishers?: number;
  readonly durability?: "commit" | "fsync";
}

/** What came of it. */
export interface ChaosReport {
  /** Readings that were acknowledged to their publisher: all that were sent. */
  readonly acknowledged: number;
  readonly messages: number;
  /** Messages that publishers sent again after a lost connection. */
  readonly resent: number;
  /** Cells that are missing or hold what an earlier reading said. */
  readonly lost: readonly string[];
  /** Cells that hold what nobody sent there. */
  readonly invented: readonly string[];
  readonly cells: number;
  /** From each kill until the server took messages again, in ms. */
  readonly recoveries: readonly number[];
  /** From the first reading to the last acknowledgement, in ms. */
  readonly duration: number;
}

/** Sends everything through five deaths, say, and compares the map with the model's. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { broker, seed, publishers = 2 } = options;
  const began = Date.now();
  const workload = planWorkload({ ...options, publishers, now: began });
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
  ];

  await using killer = await Killer.start(args);
  const fleet = workload.publishers.map((messages, i) =>
    new Publisher({
      port,
      clientId: `chaos-${i}`,
      messages,
      allowed: (share) => killer.allow(share),
    })
  );
  const start = performance.now();
  const killing = killer.run({
    moments: momentsOf(options.kills, randomFrom(~seed)),
    progress: () => sum(fleet, ({ progress }) => progress) / fleet.length,
  });
  await Promise.all([...fleet.map((publisher) => publisher.run()), killing]);
  const duration = performance.now() - start;

  const view = await ask(`mqtt://127.0.0.1:${port}`);
  return {
    ...compare(workload, view, began),
    acknowledged: sum(fleet, ({ acknowledged }) => acknowledged),
    messages: sum(workload.publishers, ({ length }) => length),
    resent: sum(fleet, ({ resent }) => resent),
    cells: view.cells.length,
    recoveries: killer.recoveries,
    duration,
  };
}

/** Kills a server with SIGKILL, and starts it again at once. */
class Killer implements AsyncDisposable {
  readonly #args: string[];
  #server: Running;
  readonly recoveries: number[] = [];
  /** The share of the readings at which it is killed next. */
  #next = 1;
  #ready = Promise.resolve();

  static async start(args: string[]): Promise<Killer> {
    const server = occupancy(args);
    await server.said(/Ready/);
    return new Killer(args, server);
  }

  private constructor(args: string[], server: Running) {
    this.#args = args;
    this.#server = server;
  }

  /**
   * Holds publishers back while there is no server, but only at the next kill:
   * else all would be sent before it comes.
   */
  async allow(share: number): Promise<void> {
    if (share > this.#next) await this.#ready;
  }

  /** Kills the server each time that the progress has passed one of the moments. */
  async run(
    { moments, progress }: {
      moments: readonly Moment[];
      progress: () => number;
    },
  ): Promise<void> {
    for (const [i, { share, delay }] of moments.entries()) {
      await until(() => progress() >= share, {
        deadline: 60_000,
        what: () => `${share} of the readings; ${progress()} are there`,
      });
      await new Promise((resolve) => setTimeout(resolve, delay));
      const killed = performance.now();
      const ready = Promise.withResolvers<void>();
      this.#next = moments[i + 1]?.share ?? 1;
      this.#ready = ready.promise;
      this.#server.kill("SIGKILL");
      await this.#server.ended();
      this.#server = occupancy(this.#args);
      await this.#server.said(/Ready/);
      this.recoveries.push(performance.now() - killed);
      ready.resolve();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

/** When the server dies. */
interface Moment {
  /** Once this share of all messages is acknowledged. */
  readonly share: number;
  /** And so many ms later: anywhere in the round of gather, commit, acknowledge. */
  readonly delay: number;
}

/** Spread over the run, the earliest first. */
function momentsOf(kills: number, random: () => number): Moment[] {
  return Array.from({ length: kills }, () => ({
    share: 0.02 + 0.9 * random(),
    delay: 10 * random(),
  })).sort((a, b) => a.share - b.share);
}

/** The map, once all that was sent before has been taken in. */
async function ask(url: string): Promise<MapView> {
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

/** What differs between the map and the model's. */
function compare(
  { expected, publishers }: Workload,
  { cells, time }: MapView,
  began: number,
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
    const said = `${cell}=${cells.value[i]}`;
    if (!sent.has(said)) invented.push(said);
  }
  const lost: string[] = [];
  for (const [cell, { value, time: observed }] of expected) {
    const i = found.get(cell);
    const at = i === undefined ? NaN : cells.time[i]!;
    const dated = observed === undefined
      ? at >= began && at <= time!
      : at === observed;
    if (i === undefined || cells.value[i] !== value || !dated) {
      lost.push(`${cell}=${value}`);
    }
  }
  return { lost, invented };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
