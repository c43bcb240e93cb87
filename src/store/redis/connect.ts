/**
 * Connects to the servers of Redis that an address names.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import {
  formatEndpoint,
  formatRedisAddress,
  type RedisAddress,
  type RedisEndpoint,
} from "./address.ts";
import { askAll, type ConnectTo } from "./ask_all.ts";
import { ClusterLocator } from "./cluster_locator.ts";
import {
  connectNode,
  type ConnectNodeOptions,
  type RedisAccess,
} from "./connection.ts";
import { type Deployment, RedisError, type RedisNode } from "./deployment.ts";
import { closedError, mostTelling } from "./errors.ts";
import { readInfo, readReplication } from "./info.ts";
import type { Locator, Masters } from "./locator.ts";
import { ReplicatedLocator } from "./replicated_locator.ts";
import { SentinelLocator } from "./sentinel_locator.ts";

/**
 * Options of {@linkcode openDeployment}. Password and certificates are read at
 * each connect: if the owner of the object replaces them, new connections use
 * the new ones.
 */
export interface DeploymentOptions {
  /** The password, if the address has none. */
  readonly password?: string | undefined;
  /** As in {@linkcode RedisAccess}; only for addresses with TLS. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Maximum time to connect to a server, in ms. Default 2,000. */
  readonly connectTimeout?: number | undefined;
}

const CONNECT_TIMEOUT_MS = 2000;
/** Not more often are the servers asked where the masters are. */
const MIN_FIND_INTERVAL_MS = 100;

/**
 * Finds out what listens at an address: one server, with or without replicas,
 * or a cluster. Connects to nothing for long.
 *
 * @param address the servers, the prefix of the keys, and the login
 * @param options password and certificates, time limit
 * @throws {RedisError} if no server answers, or none accepts the login
 */
export async function openDeployment(
  address: RedisAddress,
  options: DeploymentOptions = {},
): Promise<Deployment> {
  const deployment = new LocatedDeployment(address, options);
  try {
    await deployment.start();
    return deployment;
  } catch (error) {
    deployment.close();
    throw error;
  }
}

/** A {@linkcode Deployment} whose masters a {@linkcode Locator} finds. */
class LocatedDeployment implements Deployment {
  readonly description: string;
  readonly prefix: string;
  readonly #address: RedisAddress;
  readonly #options: DeploymentOptions;
  readonly #timeout: number;
  readonly #nodes = new Set<RedisNode>();
  #locator: Locator | undefined;
  #masters: Promise<Masters> | undefined;
  #isSearching = false;
  #foundAt = -Infinity;
  #isClosed = false;

  constructor(address: RedisAddress, options: DeploymentOptions) {
    this.#address = address;
    this.#options = options;
    this.#timeout = options.connectTimeout ?? CONNECT_TIMEOUT_MS;
    this.description = formatRedisAddress(address);
    this.prefix = address.prefix;
  }

  get kind(): Deployment["kind"] {
    return this.#locator!.kind;
  }

  get #access(): RedisAccess {
    const { ca, cert, key } = this.#options;
    const { username, password = this.#options.password, tls } = this.#address;
    return {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls && { tls: { ca, cert, key } }),
    };
  }

  /** Finds out the kind of the deployment. */
  async start(): Promise<void> {
    this.#locator = await this.#findLocator();
  }

  async open(key: string): Promise<RedisNode> {
    const endpoint = await this.#locate(key);
    try {
      return await this.#openMaster(endpoint);
    } catch (error) {
      if (error instanceof RedisError && error.kind === "access") throw error;
      this.changed();
      // Perhaps its successor is known by now.
      const successor = await this.#locate(key);
      if (formatEndpoint(successor) === formatEndpoint(endpoint)) throw error;
      return await this.#openMaster(successor);
    }
  }

  changed(): void {
    // Many connections fail at the same time: a search that runs is enough.
    if (!this.#isSearching) this.#masters = undefined;
  }

  async replicas(node: RedisNode): Promise<number> {
    const { replicas } = await readReplication(node, this.#timeout);
    return replicas.filter(({ online }) => online).length;
  }

  close(): void {
    this.#isClosed = true;
    for (const node of [...this.#nodes]) node.close();
  }

  async #findLocator(): Promise<Locator> {
    const { kind, endpoints, masterName } = this.#address;
    if (kind === "sentinel") {
      return new SentinelLocator(
        endpoints,
        masterName!,
        (endpoint) => this.#connectSentinel(endpoint),
      );
    }
    const connect: ConnectTo = (endpoint) => this.#connectBriefly(endpoint);
    const { answers, errors } = await askAll(
      endpoints,
      connect,
      async (node) => {
        const info = await readInfo(node, "server");
        return info.get("redis_mode") ?? info.get("server_mode"); // of Valkey
      },
      () => true,
    );
    const [first] = answers;
    if (first === undefined) throw mostTelling(errors);
    if (first.value === "sentinel") {
      throw new RedisError(
        "other",
        `A Sentinel listens at ${
          formatEndpoint(first.from)
        }, not a Redis server`,
        {
          hint:
            "Use redis+sentinel://HOST:PORT/MASTER in --store, with the name of the master that the Sentinels monitor.",
        },
      );
    }
    return first.value === "cluster"
      ? new ClusterLocator(endpoints, connect)
      : new ReplicatedLocator(endpoints, connect);
  }

  async #locate(key: string): Promise<RedisEndpoint> {
    const masters = await this.#find();
    try {
      return masters.of(key);
    } catch (error) {
      this.changed(); // no node has the key at present
      throw error;
    }
  }

  /** Returns where the masters are. Calls at the same time share one search. */
  #find(): Promise<Masters> {
    if (this.#masters === undefined) {
      const search = this.#search();
      this.#masters = search;
      search.catch(() => {
        if (this.#masters === search) this.#masters = undefined;
      });
    }
    return this.#masters;
  }

  async #search(): Promise<Masters> {
    this.#isSearching = true;
    try {
      const pause = this.#foundAt + MIN_FIND_INTERVAL_MS - performance.now();
      if (pause > 0) await delay(pause);
      return await this.#locator!.find();
    } finally {
      this.#isSearching = false;
      this.#foundAt = performance.now();
    }
  }

  /** @throws {RedisError} also if the server is not a master */
  async #openMaster(endpoint: RedisEndpoint): Promise<RedisNode> {
    const node = await this.#connect(endpoint);
    try {
      if ((await readReplication(node, this.#timeout)).isMaster) return node;
    } catch (error) {
      node.close();
      throw error;
    }
    node.close();
    throw new RedisError(
      "elsewhere",
      `Redis at ${node.address} became a replica`,
      { hint: "The server tries again by itself." },
    );
  }

  /** Connects for a question: it has the time limit of a connection. */
  #connectBriefly(
    endpoint: RedisEndpoint,
    access = this.#access,
  ): Promise<RedisNode> {
    return this.#connect(endpoint, { access, commandTimeout: this.#timeout });
  }

  async #connect(
    endpoint: RedisEndpoint,
    options: Pick<ConnectNodeOptions, "commandTimeout"> & {
      readonly access?: RedisAccess;
    } = {},
  ): Promise<RedisNode> {
    if (this.#isClosed) throw closedError(formatEndpoint(endpoint));
    const node = await connectNode(endpoint, {
      access: this.#access,
      timeout: this.#timeout,
      onClose: (node) => this.#nodes.delete(node),
      ...options,
    });
    this.#nodes.add(node);
    // Each command of it then fails.
    if (this.#isClosed) node.close();
    return node;
  }

  /** Sentinels often have no password where the servers have one. */
  async #connectSentinel(endpoint: RedisEndpoint): Promise<RedisNode> {
    const { tls } = this.#access;
    const node = await this.#connectBriefly(endpoint, tls ? { tls } : {});
    try {
      await node.send(["PING"]);
      return node;
    } catch (error) {
      node.close();
      const isLocked = error instanceof RedisError && error.kind === "access" &&
        this.#access.password !== undefined;
      if (!isLocked) throw error;
      return await this.#connectBriefly(endpoint);
    }
  }
}
