/**
 * Connections to the masters of the shards.
 *
 * @module
 */
import { type Deployment, RedisError, type RedisNode } from "./deployment.ts";

/**
 * Opens a connection when it is needed, and again after an error. Shards with
 * the same master share one.
 */
export class ShardNodes {
  readonly #deployment: Deployment;
  readonly #keyOf: (shard: number) => string;
  /** By shard: its connection, or the attempt to open one. */
  readonly #nodes = new Map<number, Promise<RedisNode>>();
  /** By address. */
  readonly #shared = new Map<string, RedisNode>();
  #isClosed = false;

  /**
   * @param deployment the servers of Redis
   * @param keyOf returns any key of a shard
   */
  constructor(deployment: Deployment, keyOf: (shard: number) => string) {
    this.#deployment = deployment;
    this.#keyOf = keyOf;
  }

  /**
   * Returns a connection to the master of a shard.
   *
   * @throws {RedisError} if it cannot be opened
   */
  of(shard: number): Promise<RedisNode> {
    // Without a cluster there is one master.
    const key = this.#deployment.kind === "cluster" ? shard : 0;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = this.#open(key);
      this.#nodes.set(key, node);
      node.catch(() => this.#nodes.delete(key));
    }
    return node;
  }

  /**
   * Runs commands of a shard. After an error the next call opens another
   * connection, unless the error is of a kind that another one does not change.
   *
   * @throws {RedisError} the error of `work`, or of the connection
   */
  async run<T>(
    shard: number,
    work: (node: RedisNode) => Promise<T>,
  ): Promise<T> {
    const node = await this.of(shard);
    try {
      return await work(node);
    } catch (error) {
      if (
        error instanceof RedisError &&
        (error.kind === "connection" || error.kind === "elsewhere")
      ) {
        this.#forget(node);
        this.#deployment.changed();
      }
      throw error;
    }
  }

  /** Closes all connections. */
  close(): void {
    this.#isClosed = true;
    for (const node of this.#shared.values()) node.close();
    this.#shared.clear();
    this.#nodes.clear();
  }

  async #open(shard: number): Promise<RedisNode> {
    const node = await this.#deployment.open(this.#keyOf(shard));
    if (this.#isClosed) {
      node.close();
      throw new RedisError("connection", "The store is closed");
    }
    const shared = this.#shared.get(node.address);
    if (shared !== undefined) {
      node.close();
      return shared;
    }
    this.#shared.set(node.address, node);
    return node;
  }

  #forget(node: RedisNode): void {
    if (this.#shared.get(node.address) !== node) return;
    node.close();
    this.#shared.delete(node.address);
    for (const [shard, pending] of [...this.#nodes]) {
      void pending.then((other) => {
        if (other === node && this.#nodes.get(shard) === pending) {
          this.#nodes.delete(shard);
        }
      }, () => {});
    }
  }
}
