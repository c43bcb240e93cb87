/** Several servers over one journal and one broker, both in memory. */
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { ServerOptions } from "../../src/server/context.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Server } from "../../src/server/mod.ts";
import type { ZoneEvent } from "../../src/zones/mod.ts";
import {
  FakeJournal,
  type FakeSharedStore,
} from "../support/fake_shared_store.ts";
import { MemoryBroker, type MemoryLink } from "../support/memory_broker.ts";
import { serverLog } from "../support/server_log.ts";
import { until } from "../support/until.ts";
import { fakeOptions } from "./support.ts";

const decoder = new TextDecoder();

/** One server. */
export interface Member {
  readonly name: string;
  readonly server: Server;
  readonly store: FakeSharedStore;
  readonly link: MemoryLink;
  readonly map: OccupancyMap;
  readonly log: string[];
}

/** A message that the broker has passed on. */
export interface Seen {
  readonly topic: string;
  readonly text: string;
}

/** The servers; and all that they publish below some topics. */
export class Cluster implements AsyncDisposable {
  readonly journal: FakeJournal;
  readonly broker = new MemoryBroker();
  readonly members = new Map<string, Member>();
  /** In the order of the broker. */
  readonly seen: Seen[] = [];
  readonly #killed: Member[] = [];
  readonly #observer: MemoryLink;
  readonly #shards: number;

  private constructor(shards: number, topics: readonly string[]) {
    this.#shards = shards;
    this.journal = new FakeJournal({ shards });
    this.#observer = this.broker.link({ subscriptions: topics });
  }

  /** Makes a cluster without servers. */
  static async create(
    { shards = 4, topics = ["occupancy/zone/#"] } = {},
  ): Promise<Cluster> {
    const cluster = new Cluster(shards, topics);
    await cluster.#observer.open({
      message: ({ topic, payload }) =>
        cluster.seen.push({ topic, text: decoder.decode(payload) }),
    });
    return cluster;
  }

  /** Starts one more server. */
  async start(
    name: string,
    options: Partial<ServerOptions> = {},
  ): Promise<Member> {
    const store = this.journal.open(name);
    const subscriptions = [new Topics().marker(name)];
    const link = this.broker.link({ subscriptions });
    const map = new OccupancyMap({ maxSkew: 60_000 }, { shards: this.#shards });
    const log: string[] = [];
    const server = new Server({
      ...fakeOptions(),
      log: serverLog((line) => log.push(line)),
      clock: () => Date.now(),
      ...options,
      ...{ name, store, link, map },
    });
    await server.start();
    const member = { name, server, store, link, map, log };
    this.members.set(name, member);
    return member;
  }

  /** Ends a server as if its process was killed: it sends nothing more. */
  kill(member: Member): void {
    this.members.delete(member.name);
    member.link.disconnect();
    member.store.kill();
    this.#killed.push(member);
  }

  /** Sends readings by one server. */
  async send(
    { server }: Member,
    text: string,
    layer = "default",
  ): Promise<void> {
    const payload = new TextEncoder().encode(text);
    const result = await server.submit(layer, payload);
    if (!("revision" in result)) throw new Error(JSON.stringify(result));
  }

  /** Waits until all servers have applied all, and their zones are current. */
  async settled(): Promise<void> {
    const all = [...this.members.values()];
    await until(() => all.every(({ store }) => store.lag.entries === 0));
    // Definitions are read in turns of the event loop.
    await until(() =>
      new Set(all.map(({ server }) => server.zones.version)).size === 1
    );
    for (const { server } of all) await server.zones.updated();
  }

  /** Returns the events of a zone in the order of the broker. */
  eventsOf(zone: string): ZoneEvent[] {
    return this.seen
      .filter(({ topic }) => topic === `occupancy/zone/${zone}/event`)
      .map(({ text }) => JSON.parse(text));
  }

  /** Returns the last state of a zone; undefined if there is none. */
  stateOf(zone: string): Record<string, unknown> | undefined {
    const last = this.seen.findLast(({ topic }) =>
      topic === `occupancy/zone/${zone}`
    );
    return last === undefined || last.text === ""
      ? undefined
      : JSON.parse(last.text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (
      const { server, store } of [...this.members.values(), ...this.#killed]
    ) {
      store.frozen = false;
      if (store.failing) store.failing = false;
      await server.stop();
    }
    await this.#observer.close();
  }
}
