/**
 * Starts servers that share a store in Redis, in one group on one Mosquitto; or
 * one server with SQLite, to compare them with.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { RedisServer } from "../../tests/support/redis.ts";
import { freePort } from "../../tests/support/temp.ts";
import { parseMetrics, total } from "../../tools/cluster/metrics.ts";
import type { Child } from "../harness/child.ts";
import type { MeteredProcess } from "../harness/meter.ts";
import { startMosquitto } from "./mosquitto.ts";
import { startServer } from "./occupancy.ts";
import { disposeAll } from "./system.ts";

/**
 * Shortest and longest time between two looks at the counts of the servers, in
 * ms. Each look costs every server a millisecond, so there are few.
 */
const MIN_POLL_MS = 20;
const MAX_POLL_MS = 1000;
const TIMEOUT_MS = 120_000;

/** What takes the readings. */
export interface GroupOptions {
  readonly store: "redis" | "sqlite";
  /** Number of servers; 1 with SQLite. */
  readonly servers: number;
  /** An empty folder. */
  readonly folder: string;
  /** The top of the checkout, with a slash at the end; default: this one. */
  readonly root?: string | undefined;
}

/** Running servers with their broker. */
export interface Group extends AsyncDisposable {
  /** Port of the broker. */
  readonly port: number;
  /** The servers, and Redis: what one pays for the group. */
  readonly processes: readonly MeteredProcess[];
  readonly servers: readonly { readonly url: string; readonly pid: number }[];
  /**
   * Starts one more, and waits until it is ready.
   *
   * @param role a follower has a broker of its own, which gets no readings: it
   * has only what the others write. Default: a member
   * @returns its index in `servers`
   */
  join(role?: "member" | "follower"): Promise<number>;
  /** Waits until the servers have stored a number of readings since the start. */
  waitForReadings(count: number): Promise<void>;
}

/** Starts a group. */
export async function startGroup(options: GroupOptions): Promise<Group> {
  const { store, servers: count, folder, root } = options;
  const started: AsyncDisposable[] = [];
  const processes: MeteredProcess[] = [];
  const servers: { url: string; pid: number }[] = [];
  try {
    const broker = await startMosquitto(folder);
    started.push(broker);
    let address = `sqlite:${folder}/map.sqlite`;
    if (store === "redis") {
      // As durable as its documentation recommends: the last second may be lost.
      const redis = await RedisServer.start({
        args: ["--appendonly", "yes", "--appendfsync", "everysec"],
      });
      started.push(redis);
      processes.push({ role: "redis", pid: redis.pid });
      address = redis.url;
    }
    const join: Group["join"] = async (role = "member") => {
      let { port } = broker;
      if (role === "follower") {
        const own = await startMosquitto(
          await Deno.makeTempDir({ dir: folder }),
        );
        started.push(own);
        port = own.port;
      }
      const name = `bench-${servers.length + 1}`;
      const http = `127.0.0.1:${freePort()}`;
      const server: Child = await startServer({
        name,
        ...{ store: address, root },
        link: [
          ...["--broker", `mqtt://127.0.0.1:${port}`, "--http", http],
          ...(store === "redis" ? ["--group", "bench"] : []),
        ],
      });
      started.push(server);
      processes.push({ role: name, pid: server.pid });
      return servers.push({ url: `http://${http}/`, pid: server.pid }) - 1;
    };
    for (let i = 0; i < count; i++) await join();
    return {
      ...{ port: broker.port, processes, servers, join },
      waitForReadings: (count) => waitForReadings(servers, count),
      [Symbol.asyncDispose]: () => disposeAll(started),
    };
  } catch (error) {
    await disposeAll(started);
    throw error;
  }
}

async function waitForReadings(
  servers: readonly { readonly url: string }[],
  count: number,
): Promise<void> {
  const start = performance.now();
  let first: number | undefined;
  for (;;) {
    const taken = await Promise.all(servers.map(({ url }) => readings(url)));
    const sum = taken.reduce((total, one) => total + one, 0);
    if (sum >= count) return;
    const elapsed = performance.now() - start;
    if (elapsed > TIMEOUT_MS) {
      throw new Error(`${sum} of ${count} readings were stored`);
    }
    first ??= sum;
    const perMs = (sum - first) / elapsed;
    const left = perMs > 0 ? (count - sum) / perMs : MIN_POLL_MS;
    await delay(Math.max(MIN_POLL_MS, Math.min(MAX_POLL_MS, left / 2)));
  }
}

async function readings(url: string): Promise<number> {
  const response = await fetch(`${url}metrics`);
  const metrics = parseMetrics(await response.text());
  return total(metrics, "occupancy_readings_total") ?? 0;
}
