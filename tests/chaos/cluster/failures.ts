/**
 * The failures of a run: when they happen, and what they do.
 *
 * @module
 */
import { delay } from "../../../src/common/async.ts";
import type { Lab } from "../../../tools/cluster/lab.ts";
import type { Member } from "../../../tools/cluster/members.ts";
import type { RedisServer } from "../../../tools/cluster/redis_nodes.ts";
import { until } from "../../support/until.ts";

/** A failure. */
export type Failure =
  | { readonly kind: "kill server"; readonly server: number }
  | { readonly kind: "kill master" }
  | { readonly kind: "freeze master" };

/** A failure and its moment. */
export interface PlannedFailure {
  readonly failure: Failure;
  /** Share of the run, 0 to 1. */
  readonly share: number;
}

/** Options of {@linkcode planFailures}. */
export interface FailureOptions {
  /** How often a server is killed. */
  readonly kills: number;
  readonly servers: number;
}

/** How long before a server is killed a master of Redis fails, as a share. */
const BEFORE_KILL = 0.02;

/**
 * Plans to kill the servers in turn, at even distances. A master of Redis is
 * killed shortly before the second kill, and one frozen shortly before the last
 * one: that server starts while Redis has no master for some shards.
 */
export function planFailures(
  { kills, servers }: FailureOptions,
  random: () => number,
): PlannedFailure[] {
  const plan: PlannedFailure[] = Array.from({ length: kills }, (_, i) => ({
    failure: { kind: "kill server", server: i % servers },
    share: 0.05 + 0.9 * (i + 0.5 * random()) / kills,
  }));
  const before = (i: number) =>
    Math.max(0, (plan[i]?.share ?? 0.5) - BEFORE_KILL);
  plan.push(
    { failure: { kind: "kill master" }, share: before(1) },
    { failure: { kind: "freeze master" }, share: before(kills - 1) },
  );
  return plan.sort((a, b) => a.share - b.share);
}

/** How long failures last. */
export interface FailureTimes {
  /** SIGSTOP to SIGCONT, in ms. */
  readonly freezeMs: number;
  /** Time until a killed node of Redis is started again, in ms. */
  readonly awayMs: number;
}

/** Makes failures happen. */
export class Failures {
  readonly #lab: Lab;
  readonly #times: FailureTimes;
  readonly #start = performance.now();
  /** What happened, for people. */
  readonly log: string[] = [];
  /** Failures of Redis follow one another, and so do those of servers. */
  #redisWorks: Promise<unknown> = Promise.resolve();
  #serversWork: Promise<unknown> = Promise.resolve();

  constructor(lab: Lab, times: FailureTimes) {
    this.#lab = lab;
    this.#times = times;
  }

  /** @returns resolves when what has failed works again */
  run(failure: Failure): Promise<void> {
    const isServer = failure.kind === "kill server";
    const done = (isServer ? this.#serversWork : this.#redisWorks)
      .then(() => this.#timed(failure));
    if (isServer) this.#serversWork = done;
    else this.#redisWorks = done;
    done.catch(() => {}); // the caller waits for it later
    return done;
  }

  async #timed(failure: Failure): Promise<void> {
    const start = performance.now();
    const what = await this.#run(failure);
    const at = ((start - this.#start) / 1000).toFixed(1);
    const ms = Math.round(performance.now() - start);
    this.log.push(`at ${at} s: ${what}, ${ms} ms`);
  }

  async #run(failure: Failure): Promise<string> {
    switch (failure.kind) {
      case "kill server": {
        const server = this.#lab.members[failure.server]!;
        await this.#killServer(server);
        return `${server.name} killed and ready again`;
      }
      case "kill master": {
        const master = await this.#someMaster();
        await master.crash();
        await this.#replaced(master);
        await delay(this.#times.awayMs);
        await master.start();
        await until(
          async () =>
            (await this.#lab.redis.roles())
              .find(({ port }) => port === master.port)?.role === "replica",
          { what: `${master.name} to be a replica` },
        );
        return `${master.name} killed, replaced, and back as a replica`;
      }
      case "freeze master": {
        const master = await this.#someMaster();
        master.process!.freeze();
        await delay(this.#times.freezeMs);
        master.process!.resume();
        return `${master.name} frozen`;
      }
    }
  }

  async #killServer(server: Member): Promise<void> {
    await server.crash();
    await server.start();
  }

  /** The master that has the most memory: it has the most of the map. */
  async #someMaster(): Promise<RedisServer> {
    const { redis } = this.#lab;
    const roles = await redis.roles();
    const masters = redis.nodes.filter(({ port }) =>
      roles.some((one) =>
        one.port === port && one.role === "master" && !one.isFailed &&
        one.slots !== ""
      )
    );
    const sizes = await Promise.all(masters.map(async (node) => {
      const info = await node.command("INFO", "memory") ?? "";
      return Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
    }));
    return masters[sizes.indexOf(Math.max(...sizes))]!;
  }

  /** Waits until other nodes serve the slots of a node that was killed. */
  async #replaced(master: RedisServer): Promise<void> {
    await until(
      async () => {
        const roles = await this.#lab.redis.roles();
        const own = roles.find(({ port }) => port === master.port);
        return roles.length > 0 && (own === undefined || own.slots === "");
      },
      { what: `another master instead of ${master.name}` },
    );
  }
}
