/**
 * A whole installation on this machine: Redis, brokers, and a group of servers.
 *
 * @module
 */
import { type Broker, startBroker } from "./brokers.ts";
import { Member } from "./members.ts";
import { ProcessGroup } from "./processes.ts";
import { type RedisCluster, startRedisCluster } from "./redis_nodes.ts";

/** Options of {@linkcode Lab.start}. */
export interface LabOptions {
  /** Replicas of each of the three masters. Default 1. */
  readonly replicas?: number;
  /** Number of Mosquittos. Default 2. */
  readonly brokers?: number;
  /** Number of servers. Default 3. */
  readonly members?: number;
  /** Called before each step, with what starts; for people. */
  readonly onStep?: (step: string) => void;
}

/** Running processes. All of them end when it is disposed. */
export class Lab implements AsyncDisposable {
  readonly group: ProcessGroup;
  readonly redis: RedisCluster;
  readonly brokers: readonly Broker[];
  readonly #members: Member[] = [];

  private constructor(
    group: ProcessGroup,
    redis: RedisCluster,
    brokers: readonly Broker[],
  ) {
    this.group = group;
    this.redis = redis;
    this.brokers = brokers;
  }

  /** The value of `--store`. */
  get store(): string {
    return `redis://${this.redis.addresses}`;
  }

  /** The servers. */
  get members(): readonly Member[] {
    return this.#members;
  }

  /**
   * Starts all, and waits until the servers are ready.
   *
   * @param group takes the processes; it is disposed if this fails
   */
  static async start(
    { replicas = 1, brokers = 2, members = 3, onStep }: LabOptions = {},
    group?: ProcessGroup,
  ): Promise<Lab> {
    group ??= await ProcessGroup.create();
    try {
      onStep?.(`Redis Cluster of ${3 * (1 + replicas)} nodes`);
      const redis = await startRedisCluster(group, { replicas });
      onStep?.(`${brokers} Mosquittos`);
      const mosquittos = await Promise.all(
        namesOf("mosquitto", brokers).map((name) => startBroker(group, name)),
      );
      onStep?.(`${members} servers`);
      const lab = new Lab(group, redis, mosquittos);
      await Promise.all(
        Array.from({ length: members }, () => lab.addMember()),
      );
      return lab;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Adds a server to the group, and waits until it is ready. */
  async addMember(): Promise<Member> {
    const name = `server-${this.#members.length + 1}`;
    const member = new Member(this.group, name, {
      store: this.store,
      brokers: this.brokers,
      args: ["--group", "lab"],
    });
    this.#members.push(member);
    await member.start();
    return member;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.group[Symbol.asyncDispose]();
  }
}

function namesOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
}
