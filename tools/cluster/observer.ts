/**
 * Asks all parts of a cluster what they do.
 *
 * @module
 */
import { messageOf } from "../../src/common/errors.ts";
import { Connection } from "../../src/mqtt/connection.ts";
import type { Broker } from "./brokers.ts";
import type { Lab } from "./lab.ts";
import type { Member } from "./members.ts";
import { parseMetrics, total } from "./metrics.ts";
import type { NodeRole, RedisServer } from "./redis_nodes.ts";
import type {
  BrokerStatus,
  ClusterStatus,
  MemberStatus,
  RedisStatus,
} from "./status.ts";

const HTTP_TIMEOUT_MS = 1000;
/** Topics of Mosquitto's counts (mosquitto(8), "Broker status"). */
const CONNECTED = "$SYS/broker/clients/connected";
const RECEIVED = "$SYS/broker/publish/messages/received";

/** Asks a lab. Dispose it before the lab. */
export class Observer implements AsyncDisposable {
  readonly #lab: Lab;
  readonly #links: Connection[] = [];
  readonly #counts = new Map<string, BrokerCounts>();
  readonly #rates = new Map<string, Rate>();
  readonly #start = performance.now();

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Connects to the brokers. */
  static async start(lab: Lab): Promise<Observer> {
    const observer = new Observer(lab);
    await Promise.all(lab.brokers.map((broker) => observer.#connect(broker)));
    return observer;
  }

  /** Asks all parts once. Parts that do not answer within 2 s are marked. */
  async observe(): Promise<ClusterStatus> {
    const { redis, members, brokers } = this.#lab;
    const roles = await redis.roles();
    return {
      seconds: (performance.now() - this.#start) / 1000,
      url: members[0]!.url,
      members: await Promise.all(members.map((one) => this.#askMember(one))),
      redis: await Promise.all(
        redis.nodes.map((node) => askNode(node, roles, redis.nodes)),
      ),
      brokers: brokers.map((broker) => this.#brokerStatus(broker)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map((link) => link.close()));
  }

  async #connect({ name, url }: Broker): Promise<void> {
    const counts: BrokerCounts = {};
    this.#counts.set(name, counts);
    const link = new Connection({
      url,
      clientId: "cluster-view",
      liveSubscriptions: [CONNECTED, RECEIVED],
    });
    this.#links.push(link);
    const decoder = new TextDecoder();
    await link.open({
      message: ({ topic, payload }) => {
        const count = Number(decoder.decode(payload));
        if (topic === CONNECTED) counts.connections = count;
        // It publishes them every one or two seconds.
        else counts.messagesPerSecond = this.#rateOf(name, count);
      },
    });
  }

  #brokerStatus({ name, process }: Broker): BrokerStatus {
    const state = stateOf(process) ?? "running";
    return { name, state, ...this.#counts.get(name) };
  }

  async #askMember(member: Member): Promise<MemberStatus> {
    const { name, process } = member;
    const state = stateOf(process);
    if (state !== undefined) return { name, state };
    try {
      const [ready, summary, metrics] = await Promise.all([
        readiness(member.url),
        get(`${member.url}api/v1/summary`).then((reply) => reply.json()),
        get(`${member.url}metrics`).then((reply) => reply.text()),
      ]);
      const { shared } = summary.store;
      return {
        name,
        state: ready,
        lagMs: shared?.lag.ms,
        leases: shared?.held,
        messagesPerSecond: this.#rateOf(
          name,
          total(parseMetrics(metrics), "occupancy_messages_total"),
        ),
        cells: summary.cells,
        memoryBytes: residentBytes(process!.pid),
      };
    } catch (error) {
      return { name, state: `no answer: ${messageOf(error)}` };
    }
  }

  /** Returns how much a count has grown per second since the last call. */
  #rateOf(name: string, count: number | undefined): number | undefined {
    if (count === undefined) return undefined;
    const rate = this.#rates.get(name) ?? new Rate();
    this.#rates.set(name, rate);
    return rate.next(count, performance.now());
  }
}

interface BrokerCounts {
  connections?: number;
  messagesPerSecond?: number | undefined;
}

/** A count that grows; it starts again at 0 with its process. */
class Rate {
  #count: number | undefined;
  #at = 0;

  next(count: number, now: number): number | undefined {
    const before = this.#count;
    const seconds = (now - this.#at) / 1000;
    this.#count = count;
    this.#at = now;
    if (before === undefined || count < before) return undefined;
    return (count - before) / seconds;
  }
}

/** Returns `ready`, or why it is not ready. */
async function readiness(url: string): Promise<string> {
  const response = await fetch(`${url}readyz`, {
    signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
  });
  const { status, message } = await response.json();
  return response.ok ? status : message ?? `HTTP ${response.status}`;
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new Error(`HTTP ${response.status}`);
}

async function askNode(
  node: RedisServer,
  roles: readonly NodeRole[],
  nodes: readonly RedisServer[],
): Promise<RedisStatus> {
  const { name, port, process } = node;
  const known = roles.find((role) => role.port === port);
  const slots = known?.slots ?? "";
  const state = stateOf(process);
  if (state !== undefined) return { name, role: state, slots };
  const info = await node.command("INFO");
  if (info === undefined) return { name, role: "no answer", slots };
  const field = (key: string) =>
    new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const isMaster = field("role") === "master";
  const masterPort = Number(field("master_port"));
  const master = nodes.find(({ port }) => port === masterPort)?.name;
  return {
    name,
    role: isMaster ? "master" : `replica of ${master ?? masterPort}`,
    slots: isMaster ? slots : "",
    offset: Number(
      field(isMaster ? "master_repl_offset" : "slave_repl_offset"),
    ),
    memoryBytes: Number(field("used_memory")),
  };
}

function stateOf(
  process:
    | { readonly hasEnded: boolean; readonly isFrozen: boolean }
    | undefined,
): string | undefined {
  if (process === undefined || process.hasEnded) return "ended";
  return process.isFrozen ? "frozen" : undefined;
}

/** Memory of a process; undefined where there is no `/proc` of Linux. */
function residentBytes(pid: number): number | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}
