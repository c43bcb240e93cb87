/**
 * Finds the master among servers without a cluster: one server, or one with
 * replicas.
 *
 * @module
 */
import { formatEndpoint, type RedisEndpoint } from "./address.ts";
import { type Answer, askAll, type ConnectTo } from "./ask_all.ts";
import { RedisError } from "./deployment.ts";
import { mostTelling } from "./errors.ts";
import { readReplication, type ReplicationInfo } from "./info.ts";
import type { Locator, Masters } from "./locator.ts";

type Candidate = Answer<ReplicationInfo>;

/**
 * Asks all servers of the address for their role. A replica is left for its
 * master. A replica of the last master, known from it, is asked if no server of
 * the address leads to a master.
 */
export class ReplicatedLocator implements Locator {
  readonly kind = "single";
  readonly #endpoints: readonly RedisEndpoint[];
  readonly #connect: ConnectTo;
  #last: RedisEndpoint | undefined;
  #replicas: readonly RedisEndpoint[] = [];

  /**
   * @param endpoints the servers of the address
   * @param connect opens a connection
   */
  constructor(endpoints: readonly RedisEndpoint[], connect: ConnectTo) {
    this.#endpoints = endpoints;
    this.#connect = connect;
  }

  async find(): Promise<Masters> {
    const { answers, errors } = await this.#ask(this.#endpoints);
    let masters = mastersIn(answers);
    if (masters.length === 0) {
      const named = answers.flatMap(({ value }) => value.master ?? []);
      const others = await this.#ask([...named, ...this.#replicas]);
      masters = mastersIn(others.answers);
      if (masters.length === 0) {
        throw answers.length === 0 && errors.length > 0
          ? mostTelling(errors)
          : noMaster(answers, others.errors);
      }
    }
    const master = this.#choose(masters);
    this.#last = master.from;
    this.#replicas = master.value.replicas;
    return { of: () => master.from };
  }

  #ask(endpoints: readonly RedisEndpoint[]) {
    return askAll(
      endpoints,
      this.#connect,
      (node) => readReplication(node),
      ({ isMaster }) => isMaster,
    );
  }

  /**
   * After a failover by hand the former master can come back as a master. This
   * server stays with the one that it uses; a new one chooses that with more
   * replicas, and does not guess if there is none.
   */
  #choose(masters: readonly Candidate[]): Candidate {
    const known = this.#last &&
      masters.find(({ from }) =>
        formatEndpoint(from) === formatEndpoint(this.#last!)
      );
    if (known !== undefined) return known;
    const count = ({ value }: Candidate) =>
      value.replicas.filter(({ online }) => online).length;
    const sorted = masters.toSorted((a, b) => count(b) - count(a));
    const [first, second] = sorted as [Candidate, Candidate?];
    if (second === undefined || count(first) > count(second)) return first;
    throw new RedisError(
      "refused",
      `Redis at ${formatEndpoint(first.from)} and at ${
        formatEndpoint(second.from)
      } are both masters`,
      {
        hint:
          "Make the one with older data a replica of the other: redis-cli -h HOST -p PORT replicaof OTHER_HOST OTHER_PORT.",
      },
    );
  }
}

/** Returns the masters, each once: a server can have two addresses. */
function mastersIn(answers: readonly Candidate[]): Candidate[] {
  const masters = new Map<string, Candidate>();
  for (const answer of answers) {
    const { isMaster, replicationId } = answer.value;
    if (isMaster && !masters.has(replicationId)) {
      masters.set(replicationId, answer);
    }
  }
  return [...masters.values()];
}

function noMaster(
  answers: readonly Candidate[],
  errors: readonly RedisError[],
): RedisError {
  const [replica] = answers;
  const master = replica?.value.master;
  const from = replica === undefined ? "" : formatEndpoint(replica.from);
  const cause = errors.length === 0 ? undefined : mostTelling(errors);
  return new RedisError(
    "connection",
    master === undefined
      ? "No Redis server is a master"
      : `Redis at ${from} is a replica, and its master ${
        formatEndpoint(master)
      } cannot be used${cause === undefined ? "" : `: ${cause.message}`}`,
    {
      hint:
        "Start the master, or make a replica the master: redis-cli replicaof no one.",
      cause,
    },
  );
}
