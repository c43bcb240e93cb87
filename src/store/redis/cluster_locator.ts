/**
 * Finds the masters of a Redis Cluster.
 *
 * @module
 */
import type { RedisEndpoint } from "./address.ts";
import { askAll, type ConnectTo, distinct } from "./ask_all.ts";
import { RedisError, type RedisNode, type Reply } from "./deployment.ts";
import { mostTelling } from "./errors.ts";
import { textOf } from "./info.ts";
import { keySlot } from "./key_slot.ts";
import type { Locator, Masters } from "./locator.ts";

/** Slots that one master has. */
interface SlotRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
  /** The master first, then its replicas. */
  readonly nodes: readonly RedisEndpoint[];
}

/** The cluster, as a node sees it. */
interface View {
  readonly ranges: readonly SlotRange[];
  /** False for a node that is cut off from the majority of masters. */
  readonly isOk: boolean;
  /** Grows with each failover. */
  readonly epoch: number;
}

/**
 * Asks the nodes of the address and those that they know, and believes a node
 * that sees a working cluster, and of these the one with the newest failover.
 */
export class ClusterLocator implements Locator {
  readonly kind = "cluster";
  readonly #endpoints: readonly RedisEndpoint[];
  readonly #connect: ConnectTo;
  /** All nodes of the last view. */
  #known: readonly RedisEndpoint[] = [];

  /**
   * @param endpoints the nodes of the address
   * @param connect opens a connection
   */
  constructor(endpoints: readonly RedisEndpoint[], connect: ConnectTo) {
    this.#endpoints = endpoints;
    this.#connect = connect;
  }

  async find(): Promise<Masters> {
    const { answers, errors } = await askAll(
      [...shuffled(this.#known), ...this.#endpoints],
      this.#connect,
      readView,
      ({ isOk }) => isOk,
    );
    if (answers.length === 0) throw mostTelling(errors);
    const { ranges } = answers.map(({ value }) => value).reduce(better);
    this.#known = distinct(ranges.flatMap(({ nodes }) => nodes));
    return {
      of: (key) => {
        const slot = keySlot(key);
        const range = ranges.find(({ from, to }) => from <= slot && slot <= to);
        const master = range?.nodes[0];
        if (master !== undefined) return master;
        throw new RedisError(
          "elsewhere",
          `No node of the Redis Cluster has slot ${slot}`,
          { hint: "Check the cluster: redis-cli --cluster check HOST:PORT." },
        );
      },
    };
  }
}

function better(a: View, b: View): View {
  if (a.isOk !== b.isOk) return a.isOk ? a : b;
  return b.epoch > a.epoch ? b : a;
}

async function readView(node: RedisNode): Promise<View> {
  const info = textOf(await node.send(["CLUSTER", "INFO"]));
  const slots = await node.send(["CLUSTER", "SLOTS"]);
  const [, epoch] = /^cluster_current_epoch:(\d+)/m.exec(info) ?? [];
  return {
    ranges: parseSlots(slots, hostOf(node.address)),
    isOk: /^cluster_state:ok/m.test(info),
    epoch: Number(epoch ?? 0),
  };
}

/**
 * Parses the reply of CLUSTER SLOTS: for each range the first slot, the last
 * one, and the nodes, each with its endpoint and port.
 *
 * @param asked the host that was asked: a node that does not know its endpoint
 * returns null or nothing in its place
 */
function parseSlots(reply: Reply, asked: string): SlotRange[] {
  if (!Array.isArray(reply)) return [];
  return (reply as readonly (readonly Reply[])[]).map((
    [from, to, ...nodes],
  ) => ({
    from: Number(from),
    to: Number(to),
    nodes: (nodes as readonly (readonly Reply[])[]).map(([host, port]) => ({
      // "?": the node prefers host names and has none.
      host: textOf(host).replace(/^\?$/, "") || asked,
      port: Number(port),
    })),
  }));
}

/** Returns the host of `HOST:PORT`, without brackets. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}

/** So that not the same dead nodes are asked each time. */
function shuffled<T>(items: readonly T[]): T[] {
  return items.map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b).map(([, item]) => item);
}
