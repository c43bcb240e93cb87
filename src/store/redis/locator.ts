/**
 * How masters are found.
 *
 * @module
 */
import type { RedisEndpoint } from "./address.ts";
import type { Deployment } from "./deployment.ts";

/** Where the masters are at present. */
export interface Masters {
  /**
   * Returns the master of a key.
   *
   * @throws {RedisError} if no server has the key at present
   */
  of(key: string): RedisEndpoint;
}

/** Finds the masters of one kind of deployment. */
export interface Locator {
  readonly kind: Deployment["kind"];
  /**
   * Asks the servers.
   *
   * @throws {RedisError} if there is no master, or none can be reached
   */
  find(): Promise<Masters>;
}
