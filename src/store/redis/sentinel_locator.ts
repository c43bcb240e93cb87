/**
 * Finds the master that Sentinels monitor.
 *
 * @module
 */
import type { RedisEndpoint } from "./address.ts";
import { askAll, type ConnectTo } from "./ask_all.ts";
import { RedisError, type RedisNode, type Reply } from "./deployment.ts";
import { mostTelling } from "./errors.ts";
import { textOf } from "./info.ts";
import type { Locator, Masters } from "./locator.ts";

/** What a Sentinel knows of a master. */
interface Known {
  readonly master: RedisEndpoint;
  /** Grows with each failover. */
  readonly epoch: number;
}

/**
 * Asks all Sentinels, and believes the one with the newest failover (Redis
 * documentation, "Guidelines for Redis clients with support for Redis Sentinel"
 * and "High availability with Redis Sentinel", configuration epochs).
 */
export class SentinelLocator implements Locator {
  readonly kind = "sentinel";
  readonly #endpoints: readonly RedisEndpoint[];
  readonly #name: string;
  readonly #connect: ConnectTo;

  /**
   * @param endpoints the Sentinels
   * @param name the name of the master
   * @param connect opens a connection to a Sentinel
   */
  constructor(
    endpoints: readonly RedisEndpoint[],
    name: string,
    connect: ConnectTo,
  ) {
    this.#endpoints = endpoints;
    this.#name = name;
    this.#connect = connect;
  }

  async find(): Promise<Masters> {
    const { answers, errors } = await askAll(
      this.#endpoints,
      this.#connect,
      (node) => this.#ask(node),
      (known) => known !== undefined,
    );
    const known = answers.flatMap(({ value }) => value ?? []);
    if (known.length === 0) {
      throw answers.length === 0 ? mostTelling(errors) : new RedisError(
        "other",
        `The Sentinels know no master "${this.#name}"`,
        { hint: "Check its name: redis-cli -p 26379 sentinel masters." },
      );
    }
    const { master } = known.reduce((a, b) => b.epoch > a.epoch ? b : a);
    return { of: () => master };
  }

  async #ask(node: RedisNode): Promise<Known | undefined> {
    const address = await node.send([
      ...["SENTINEL", "get-master-addr-by-name", this.#name],
    ]);
    if (!Array.isArray(address)) return undefined;
    const [host, port] = address as readonly Reply[];
    const fields = await node.send(["SENTINEL", "master", this.#name]);
    return {
      master: { host: textOf(host), port: Number(textOf(port)) },
      epoch: Number(fieldOf(fields, "config-epoch") ?? 0),
    };
  }
}

/** Returns a value of a reply that has names and values by turns. */
function fieldOf(reply: Reply, name: string): string | undefined {
  if (!Array.isArray(reply)) return undefined;
  const index = reply.findIndex((part, i) =>
    i % 2 === 0 && textOf(part) === name
  );
  return index < 0 ? undefined : textOf(reply[index + 1]);
}
