/**
 * Starts the nodes of a Redis Cluster on the loopback. Each has an append-only
 * file in the temporary folder: a master that is started again before a replica
 * has replaced it still has its data. Without them its replicas would copy the
 * empty one.
 *
 * @module
 */
import { AppError } from "../../src/common/errors.ts";
import { delay } from "../../src/common/async.ts";
import { findPrograms } from "./programs.ts";
import { freePort, type GroupProcess, type ProcessGroup } from "./processes.ts";

/** Time after which a cluster replaces a master without an answer, in ms. */
const NODE_TIMEOUT_MS = 2000;
/** Deadline of a command, in ms. */
const COMMAND_TIMEOUT_MS = 2000;
const FORM_TIMEOUT_MS = 30_000;

/** One Redis process, which can be stopped and started again. */
export class RedisServer {
  readonly name: string;
  readonly port: number;
  readonly #group: ProcessGroup;
  readonly #args: readonly string[];
  #process: GroupProcess | undefined;

  constructor(
    group: ProcessGroup,
    name: string,
    port: number,
    args: readonly string[],
  ) {
    this.name = name;
    this.port = port;
    this.#group = group;
    this.#args = args;
  }

  /** `127.0.0.1:PORT` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Undefined if it does not run. */
  get process(): GroupProcess | undefined {
    return this.#process?.hasEnded ? undefined : this.#process;
  }

  /** Starts it, and waits until it accepts connections. */
  async start(): Promise<void> {
    const { "redis-server": program } = findPrograms(["redis-server"]);
    this.#process = this.#group.spawn(this.name, program, { args: this.#args });
    await this.#process.waitFor(/Ready to accept connections/);
  }

  /** Kills it (SIGKILL). */
  async crash(): Promise<void> {
    await this.process?.crash();
  }

  /**
   * Sends a command with redis-cli.
   *
   * @returns its reply, as redis-cli prints it to a pipe; undefined without an
   * answer within 2 s
   */
  async command(...words: readonly string[]): Promise<string | undefined> {
    return await redisCli(["-p", String(this.port), ...words]);
  }
}

/** The nodes of a Redis Cluster. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The addresses of all nodes, separated by commas. */
  readonly addresses: string;
  /** Returns the present roles, as one of the nodes that answer knows them. */
  roles(): Promise<NodeRole[]>;
}

/** What a cluster knows of a node. */
export interface NodeRole {
  readonly port: number;
  readonly role: "master" | "replica";
  /** True if the others regard it as failed. */
  readonly isFailed: boolean;
  /** Such as `0-5460`; empty for replicas. */
  readonly slots: string;
}

/** Starts the nodes of a cluster, and waits until all slots are served. */
export async function startRedisCluster(
  group: ProcessGroup,
  { masters = 3, replicas = 1 }: {
    /** At least 3. */
    readonly masters?: number;
    /** Of each master. */
    readonly replicas?: number;
  } = {},
): Promise<RedisCluster> {
  const count = masters * (1 + replicas);
  const nodes = await Promise.all(
    Array.from(
      { length: count },
      (_, i) => prepare(group, `redis-${i + 1}`),
    ),
  );
  await Promise.all(nodes.map((node) => node.start()));
  await formCluster(nodes.map(({ address }) => address), replicas);
  return new Nodes(nodes);
}

/**
 * The settings of a node of a cluster, besides those of any Redis.
 *
 * @param nodeTimeout time after which a master without an answer is replaced,
 * in ms
 */
export function clusterSettings(nodeTimeout = NODE_TIMEOUT_MS): string[] {
  return [
    ...["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"],
    // By default the port plus 10,000, which may be none.
    ...["--cluster-port", String(freePort())],
    ...["--cluster-node-timeout", String(nodeTimeout)],
  ];
}

/**
 * Makes a cluster of running nodes, with all slots spread evenly over the first
 * ones, and waits until their replicas are in step.
 *
 * @param addresses of all nodes, `127.0.0.1:PORT`
 * @param replicas of each master
 * @throws {AppError} with the output of redis-cli, or after 30 s
 */
export async function formCluster(
  addresses: readonly string[],
  replicas: number,
): Promise<void> {
  const end = performance.now() + FORM_TIMEOUT_MS;
  const output = await redisCli([
    ...["--cluster", "create", ...addresses],
    ...["--cluster-replicas", String(replicas), "--cluster-yes"],
  ], FORM_TIMEOUT_MS);
  if (!output?.includes("[OK] All 16384 slots covered")) {
    throw new AppError(
      "redis-cluster",
      `The nodes of Redis did not form a cluster: ${output ?? "no answer"}`,
    );
  }
  const ports = addresses.map((address) => address.split(":")[1]!);
  while (!await isInOrder(ports, replicas)) {
    if (performance.now() > end) {
      throw new AppError("redis-cluster", "Replicas of Redis are not in step");
    }
    await delay(50);
  }
}

class Nodes implements RedisCluster {
  readonly nodes: readonly RedisServer[];

  constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
  }

  get addresses(): string {
    return this.nodes.map(({ address }) => address).join();
  }

  async roles(): Promise<NodeRole[]> {
    for (const node of this.nodes) {
      if (node.process === undefined || node.process.isFrozen) continue;
      const reply = await node.command("CLUSTER", "NODES");
      if (reply !== undefined && / myself,/.test(reply)) {
        return parseRoles(reply);
      }
    }
    return [];
  }
}

/** Returns true if each node knows all roles, and the replicas are in step. */
async function isInOrder(
  ports: readonly string[],
  replicas: number,
): Promise<boolean> {
  const masters = ports.length / (1 + replicas);
  const known = await Promise.all(ports.map(async (port) => {
    const reply = await redisCli(["-p", port, "CLUSTER", "NODES"]) ?? "";
    const info = await redisCli(["-p", port, "INFO", "replication"]) ?? "";
    const found = parseRoles(reply).filter(({ role }) => role === "replica");
    return found.length === masters * replicas && isInStep(info, replicas);
  }));
  return known.every(Boolean);
}

function isInStep(info: string, replicas: number): boolean {
  return /^role:master/m.test(info)
    ? (info.match(/^slave\d+:.*state=online/gm) ?? []).length === replicas
    : /^master_link_status:up/m.test(info);
}

/** Reads the reply to CLUSTER NODES. */
export function parseRoles(reply: string): NodeRole[] {
  return reply.split("\n").flatMap((line) => {
    const [, address, flags, , , , , , ...slots] = line.split(" ");
    const port = /:(\d+)@/.exec(address ?? "")?.[1];
    if (port === undefined) return [];
    const flagSet = flags!.split(",");
    return [{
      ...{ port: Number(port), slots: slots.join(" ") },
      role: flagSet.includes("master") ? "master" : "replica",
      isFailed: flagSet.includes("fail"),
    }];
  });
}

async function prepare(
  group: ProcessGroup,
  name: string,
): Promise<RedisServer> {
  const port = freePort();
  const folder = await group.makeFolder(name);
  return new RedisServer(group, name, port, [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", folder],
    ...["--save", "", "--appendonly", "yes", "--daemonize", "no"],
    // A replica that was away copies what it has missed only.
    ...["--repl-backlog-size", "64mb", "--repl-diskless-sync-delay", "0"],
    ...clusterSettings(),
  ]);
}

async function redisCli(
  args: readonly string[],
  timeout = COMMAND_TIMEOUT_MS,
): Promise<string | undefined> {
  const { "redis-cli": program } = findPrograms(["redis-cli"]);
  try {
    const { stdout } = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(timeout),
    }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return undefined; // aborted
  }
}
