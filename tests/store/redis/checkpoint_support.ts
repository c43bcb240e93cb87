/** Servers that share a map in Redis, as far as checkpoints need them. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { decodeEntries, EntryEncoder } from "../../../src/store/entry_codec.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import type { Deployment } from "../../../src/store/redis/deployment.ts";
import {
  initialState,
  type JournalState,
} from "../../../src/store/redis/journal_state.ts";
import { Keys } from "../../../src/store/redis/keys.ts";
import { type Lease, makeLease } from "../../../src/store/redis/lease.ts";
import {
  RedisCheckpoints,
  type RedisCheckpointsOptions,
} from "../../../src/store/redis/redis_checkpoints.ts";
import { applyEntry, type Entry } from "../../../src/store/store.ts";
import type { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { assertSameMap, readingsEntry } from "../support.ts";

/** What tests use of a Redis server. */
export type Redis = Pick<RedisServer, "url" | "command" | "text">;

export const KEYS = new Keys("occupancy");
export const CHECKPOINT = KEYS.ofShard(0, "checkpoint");
export const CHUNKS = KEYS.ofShard(0, "chunks");
export const JOURNAL = KEYS.journal(0);
export const T0 = 1_700_000_000_000;

/** Gives the lease of shard 0 to a server, with a new fence. */
export async function giveLease(redis: Redis, name: string) {
  const fence = Number(
    await redis.command("INCR", KEYS.ofShard(0, "fence")),
  );
  const lease = makeLease(fence, name, "run");
  await redis.command("SET", KEYS.ofShard(0, "lease"), lease.value);
  return lease;
}

/** A server with a map of one shard. */
export class Member implements AsyncDisposable {
  readonly map = new OccupancyMap();
  readonly warnings: string[] = [];
  readonly checkpoints: RedisCheckpoints;
  state: JournalState = initialState();
  /** Its entries are so much older than now, in ms: so they may be trimmed. */
  entryAgeMs = 3_600_000;
  /** What it believes to hold. */
  lease: Lease | undefined;
  readonly #redis: Redis;
  readonly #deployment: Deployment;
  readonly #journal = KEYS.ofShard(0, "journal");
  readonly #encoder = new EntryEncoder();

  private constructor(
    redis: Redis,
    deployment: Deployment,
    options: Partial<RedisCheckpointsOptions>,
  ) {
    this.#redis = redis;
    this.#deployment = deployment;
    this.checkpoints = new RedisCheckpoints({
      deployment,
      keys: KEYS,
      leaseOf: () => this.lease,
      minJournalBytes: Infinity,
      onWarning: (line) => this.warnings.push(line),
      ...options,
    });
  }

  /** Loads the map from checkpoint and journal. */
  static async start(
    redis: Redis,
    options: Partial<RedisCheckpointsOptions> = {},
  ): Promise<Member> {
    const deployment = await openDeployment(parseRedisAddress(redis.url));
    const member = new Member(redis, deployment, options);
    try {
      const state = await member.checkpoints.load(0, member.map);
      if (state !== undefined) member.state = state;
      await member.read();
      return member;
    } catch (error) {
      await member[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Takes the lease. */
  async lead(): Promise<void> {
    this.lease = await giveLease(this.#redis, "member");
  }

  /** Appends entries to the journal, and applies them. */
  async commit(...entries: Entry[]): Promise<void> {
    const bytes = this.#encoder.encode(entries).slice();
    const previous = Number(this.state.position.split("-")[0]);
    const id = `${Math.max(Date.now() - this.entryAgeMs, previous + 1)}-0`;
    await this.#redis.command(
      ...["XADD", this.#journal, id, "w", "run:1", "c", `${crc32(bytes)}`],
      ...["d", bytes],
    );
    this.#apply(id, entries, bytes.length);
  }

  /** Applies what others have appended. */
  async read(): Promise<void> {
    const entries = await this.#redis.command(
      ...["XRANGE", this.#journal, `(${this.state.position}`, "+"],
    );
    for (const [id, fields] of entries) {
      const bytes = new Uint8Array(fields.at(-1));
      this.#apply(`${id}`, [...decodeEntries(bytes)], bytes.length);
    }
  }

  /** Loads the shard anew, as after a gap in the journal. */
  async reload(): Promise<void> {
    this.state = await this.checkpoints.reload(0, "trimmed") ?? initialState();
    await this.read();
  }

  /** Begins a checkpoint, if it can. */
  begin(): void {
    this.checkpoints.begin(0, this.state);
  }

  /** Writes a checkpoint, and deletes what it replaces. */
  async checkpoint(): Promise<void> {
    const before = await this.inForce();
    await until(async () => {
      this.begin();
      await until(() => !this.isWriting);
      return await this.inForce() !== before;
    }, { what: () => `a checkpoint: ${this.warnings.join("\n")}` });
  }

  /** Returns the map that the whole journal gives, without checkpoints. */
  static async replay(redis: Redis): Promise<OccupancyMap> {
    const map = new OccupancyMap();
    const entries = await redis.command("XRANGE", KEYS.journal(0), "-", "+");
    for (const [, fields] of entries) {
      const bytes = new Uint8Array(fields.at(-1));
      for (const entry of decodeEntries(bytes)) applyEntry(map, entry);
    }
    return map;
  }

  /** True while it writes a checkpoint, deletes chunks or trims. */
  get isWriting(): boolean {
    return this.checkpoints.isRunning(0);
  }

  /** Returns the id of the checkpoint in force. */
  inForce(): Promise<string> {
    return this.#redis.text("HGET", KEYS.ofShard(0, "checkpoint"), "id");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.checkpoints.close();
    this.#deployment.close();
  }

  #apply(id: string, entries: readonly Entry[], bytes: number): void {
    for (const entry of entries) {
      applyEntry(this.map, entry);
      this.state.now = Math.max(this.state.now, entry.now);
    }
    this.state.position = id;
    this.state.bytes += bytes;
    this.checkpoints.applied(0, this.state);
  }
}

/** Readings all over a layer. */
export function someReadings(
  random: (below: number) => number,
  now: number,
  layer = "default",
  count = 200,
): Entry {
  return readingsEntry(
    now,
    Array.from(
      { length: count },
      () => [random(2000), random(2000), random(3)] as const,
    ),
    layer,
  );
}

/** Fails unless a new server has the same map from checkpoint and journal. */
export async function assertLoads(redis: Redis, member: Member) {
  await using other = await Member.start(redis);
  assertSameMap(other.map, member.map);
  assert.deepEqual(
    [other.state.position, other.state.now, other.state.bytes],
    [member.state.position, member.state.now, member.state.bytes],
  );
}

/** The ids of all chunks in Redis, in their order. */
export async function chunkIds(redis: Redis): Promise<number[]> {
  const ids = await redis.command("HKEYS", CHUNKS);
  return ids.map((id: Uint8Array) => Number(`${id}`)).sort((
    a: number,
    b: number,
  ) => a - b);
}

/** Number of entries in the journal. */
export const journalLength = (redis: Redis) =>
  redis.command("XLEN", JOURNAL) as Promise<number>;
