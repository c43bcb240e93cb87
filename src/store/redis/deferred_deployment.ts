/**
 * Servers of Redis that may be away at the start.
 *
 * @module
 */
import { type Deployment, RedisError, type RedisNode } from "./deployment.ts";

/** Finds out what listens at an address when a connection is needed. */
export class DeferredDeployment implements Deployment {
  readonly description: string;
  readonly prefix: string;
  readonly #connect: () => Promise<Deployment>;
  #connecting: Promise<Deployment> | undefined;
  #connected: Deployment | undefined;
  #isClosed = false;

  /**
   * @param description the address without user and password
   * @param prefix starts the keys
   * @param connect called again after an error
   */
  constructor(
    description: string,
    prefix: string,
    connect: () => Promise<Deployment>,
  ) {
    this.description = description;
    this.prefix = prefix;
    this.#connect = connect;
  }

  /** Valid after {@linkcode DeferredDeployment.open}. */
  get kind(): Deployment["kind"] {
    return this.#connected?.kind ?? "single";
  }

  /** @inheritdoc */
  async open(key: string): Promise<RedisNode> {
    this.#connecting ??= this.#connect();
    let deployment: Deployment;
    try {
      deployment = await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
    this.#connected = deployment;
    if (this.#isClosed) {
      deployment.close();
      throw new RedisError("connection", "The store was closed");
    }
    return await deployment.open(key);
  }

  /** @inheritdoc */
  changed(): void {
    this.#connected?.changed();
  }

  /** @inheritdoc */
  async replicas(node: RedisNode): Promise<number> {
    // The node is of the deployment that `open` found.
    return await this.#connected!.replicas(node);
  }

  /** @inheritdoc */
  close(): void {
    this.#isClosed = true;
    this.#connected?.close();
  }
}
