/**
 * Real Redis servers for one test: one alone, one with replicas, a cluster.
 *
 * They run on free ports of the loopback, keep their files in temporary folders,
 * and are killed at the end of their scope.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  clusterSettings,
  formCluster,
} from "../../tools/cluster/redis_nodes.ts";
import { requireTool } from "./needs.ts";
import { Running } from "./processes.ts";
import { freePort, tempDir } from "./temp.ts";
import type { TempDir } from "./temp.ts";
import { until, within } from "./until.ts";

/** Options of {@linkcode RedisServer.start}. */
export interface RedisServerOptions {
  /** The master of which it is a replica. */
  readonly replicaOf?: { readonly port: number };
  /** The password of the user `default`, also for the master. */
  readonly password?: string;
  /** Serve TLS only, with these files in PEM format. */
  readonly tls?: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
  };
  /** A configuration file, of a Sentinel for example. */
  readonly config?: string;
  /** More arguments of `redis-server`: `["--appendonly", "yes"]`. */
  readonly args?: readonly string[];
}

/** A reply, with bulk strings as bytes. */
// deno-lint-ignore no-explicit-any
export type RedisReply = any;

const QUICK = [
  ...["--save", "", "--bind", "127.0.0.1", "--loglevel", "notice"],
  // A replica is in sync at once, and its silence is noticed soon.
  ...["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"],
];

/** A Redis server. It is killed at the end of its scope. */
export class RedisServer implements AsyncDisposable {
  readonly port: number = freePort();
  readonly #options: RedisServerOptions;
  readonly #folder: TempDir;
  #process: Running | undefined;
  #isFrozen = false;

  private constructor(folder: TempDir, options: RedisServerOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Starts a server and waits until it answers. */
  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await tempDir(), options);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The address for a client, without a login. */
  get url(): string {
    return `${this.#options.tls ? "rediss" : "redis"}://${this.address}`;
  }

  get pid(): number {
    return this.#process!.pid;
  }

  /** False while it is frozen. */
  get isRunning(): boolean {
    return this.#process?.hasEnded === false && !this.#isFrozen;
  }

  /** What it has written into its log. */
  get log(): string {
    return this.#process?.stdout ?? "";
  }

  /** Starts it again after its end, on the same port with the same files. */
  async restart(): Promise<void> {
    const { replicaOf, password, tls, config, args = [] } = this.#options;
    this.#process = new Running(requireTool("redis-server"), [
      ...(config === undefined ? QUICK : [config]),
      ...(tls === undefined
        ? ["--port", `${this.port}`]
        : ["--port", "0", "--tls-port", `${this.port}`]),
      ...["--dir", this.#folder.path],
      ...(replicaOf ? ["--replicaof", `127.0.0.1 ${replicaOf.port}`] : []),
      ...(password
        ? ["--requirepass", password, "--masterauth", password]
        : []),
      ...(tls
        ? [
          ...["--tls-cert-file", tls.cert, "--tls-key-file", tls.key],
          ...["--tls-ca-cert-file", tls.ca, "--tls-auth-clients", "no"],
        ]
        : []),
      ...args,
    ]);
    const process = this.#process;
    this.#isFrozen = false;
    await until(() => process.hasEnded || this.#answers(), {
      what: () => `redis-server on port ${this.port}: ${this.log}`,
    });
    if (process.hasEnded) throw new Error(`redis-server ended: ${this.log}`);
  }

  /**
   * Sends a command over a connection of its own.
   *
   * @throws {Error} the error of Redis, or of the connection
   */
  async command(...args: (string | Uint8Array)[]): Promise<RedisReply> {
    const { password, tls } = this.#options;
    const { createClient, RESP_TYPES } = await import("@redis/client");
    const client = createClient({
      RESP: 2,
      disableClientInfo: true,
      ...(password && { password }),
      socket: {
        host: "127.0.0.1",
        port: this.port,
        reconnectStrategy: false,
        ...(tls && { tls: true, ca: Deno.readTextFileSync(tls.ca) }),
      },
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    });
    client.on("error", () => {}); // the promises reject with it
    try {
      return await within(
        (async () => {
          await client.connect();
          return await client.sendCommand(
            args.map((arg) => typeof arg === "string" ? arg : Buffer.from(arg)),
          );
        })(),
        () => `the answer to ${args[0]} on port ${this.port}`,
      );
    } finally {
      client.destroy();
    }
  }

  /** Sends a command and returns the text of its reply. */
  async text(...args: string[]): Promise<string> {
    return String(await this.command(...args));
  }

  /** Returns a line of INFO: `await server.info("role")`; empty if missing. */
  async info(field: string): Promise<string> {
    const text = await this.text("INFO", "everything");
    return new RegExp(`^${field}:(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.thaw();
    this.#process?.kill();
    await this.#process?.ended();
  }

  /** Kills it, as in a crash. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.ended();
  }

  /** Suspends it: connections stay open without answers. */
  freeze(): void {
    this.#isFrozen = true;
    this.#process?.kill("SIGSTOP");
  }

  /** Ends {@linkcode freeze}. */
  thaw(): void {
    this.#isFrozen = false;
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #answers(): Promise<boolean> {
    try {
      return await this.text("PING") === "PONG";
    } catch {
      return false;
    }
  }
}

/** Several Redis servers. */
export interface RedisServers extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  /** Their address for a client, with all of them. */
  readonly url: string;
}

/** A master with replicas. */
export interface ReplicatedRedis extends RedisServers {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
}

/**
 * Starts a master and its replicas, and waits until they are in sync.
 *
 * @param replicas how many
 * @param options of all servers
 */
export async function startReplicated(
  replicas: number,
  options: RedisServerOptions = {},
): Promise<ReplicatedRedis> {
  const servers: RedisServer[] = [];
  try {
    const master = await RedisServer.start(options);
    servers.push(master);
    for (let i = 0; i < replicas; i++) {
      servers.push(await RedisServer.start({ ...options, replicaOf: master }));
    }
    await waitForReplicas(master, replicas);
    return { ...groupOf(servers), master, replicas: servers.slice(1) };
  } catch (error) {
    await groupOf(servers)[Symbol.asyncDispose]();
    throw error;
  }
}

/** Waits until a master has a number of replicas that are in sync. */
export async function waitForReplicas(
  master: RedisServer,
  count: number,
): Promise<void> {
  await until(async () => {
    const text = await master.text("INFO", "replication");
    return (text.match(/^slave\d+:.*state=online/gm) ?? []).length >= count;
  }, { what: `${count} replicas of ${master.address}` });
}

/** A Redis Cluster. */
export interface RedisCluster extends RedisServers {
  /** Returns the present master of a slot, as a living node sees it. */
  masterOf(slot: number): Promise<RedisServer>;
  /** Waits until all living nodes report a cluster that serves all slots. */
  settled(): Promise<void>;
}

/**
 * Starts a cluster, with all slots spread evenly over the masters, and waits
 * until it serves them.
 *
 * @param options how many masters, and replicas of each; `cluster-node-timeout`
 * in ms, default 2,000; more arguments of `redis-server`
 */
export async function startCluster(
  { masters = 3, replicas = 1, nodeTimeout = 2000, args = [] }: {
    readonly masters?: number;
    readonly replicas?: number;
    readonly nodeTimeout?: number;
    readonly args?: readonly string[];
  } = {},
): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  try {
    for (let i = 0; i < masters * (1 + replicas); i++) {
      servers.push(
        await RedisServer.start({
          args: [...clusterSettings(nodeTimeout), ...args],
        }),
      );
    }
    await formCluster(servers.map(({ address }) => address), replicas);
    const cluster = { ...groupOf(servers), ...clusterOf(servers) };
    await cluster.settled();
    return cluster;
  } catch (error) {
    await groupOf(servers)[Symbol.asyncDispose]();
    throw error;
  }
}

function clusterOf(servers: readonly RedisServer[]) {
  const isSettled = async (server: RedisServer) =>
    /cluster_state:ok/.test(await server.text("CLUSTER", "INFO")) &&
    (await server.info("role") === "master" ||
      await server.info("master_link_status") === "up");
  return {
    masterOf: async (slot: number) => {
      const server = servers.find(({ isRunning }) => isRunning)!;
      for (const [from, to, node] of await server.command("CLUSTER", "SLOTS")) {
        if (slot < from || slot > to) continue;
        return servers.find(({ port }) => port === node[1])!;
      }
      throw new Error(`No node serves slot ${slot}`);
    },
    settled: async () => {
      await until(async () => {
        const living = servers.filter(({ isRunning }) => isRunning);
        return (await Promise.all(living.map(isSettled))).every((ok) => ok);
      }, { what: "the cluster serves all slots" });
    },
  };
}

function groupOf(servers: readonly RedisServer[]): RedisServers {
  return {
    servers,
    url: `redis://${servers.map(({ address }) => address).join(",")}`,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(servers.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}
