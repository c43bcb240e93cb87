/**
 * Reads what the checks of Redis need to know.
 *
 * @module
 */
import { printable } from "../common/printable.ts";
import {
  type ClockDifference,
  measureClock,
} from "../store/redis/clock_watch.ts";
import {
  RedisError,
  type RedisNode,
  type Reply,
} from "../store/redis/deployment.ts";
import { readInfo, textOf } from "../store/redis/info.ts";
import type { Keys } from "../store/redis/keys.ts";
import { readMembers } from "../store/redis/members.ts";

/** What a master says of itself. */
export interface MasterFacts {
  /** For people: `127.0.0.1:6379`. */
  readonly address: string;
  /** Fields of INFO, of the sections that the checks use. */
  readonly info: ReadonlyMap<string, string>;
  /** Settings; without those that the user may not read. */
  readonly settings: ReadonlyMap<string, string>;
  readonly clock: ClockDifference;
}

/** What the keys say of the map. */
export interface KeyspaceFacts {
  /** As stored; undefined if there is no map yet. */
  readonly format: string | undefined;
  readonly shards: string | undefined;
  /** The servers that are connected, sorted. */
  readonly members: readonly string[];
}

const SECTIONS = ["server", "memory", "persistence", "replication", "cluster"];
const SETTINGS = ["save", "appendfsync"];

/** Reads the facts of a master. @throws {RedisError} */
export async function readMaster(node: RedisNode): Promise<MasterFacts> {
  const info = new Map<string, string>();
  for (const section of SECTIONS) {
    for (const [field, value] of await readInfo(node, section)) {
      info.set(field, value);
    }
  }
  const settings = new Map<string, string>();
  for (const name of SETTINGS) {
    const reply = await optional(node.send(["CONFIG", "GET", name]));
    if (Array.isArray(reply) && reply.length === 2) {
      settings.set(name, textOf(reply[1]));
    }
  }
  return {
    address: node.address,
    info,
    settings,
    clock: await measureClock(node),
  };
}

/** Reads what describes the map. @throws {RedisError} */
export async function readKeyspace(
  node: RedisNode,
  keys: Keys,
): Promise<KeyspaceFacts> {
  const values = await node.send(["HMGET", keys.meta, "format", "shards"]);
  const [format, shards] = listOf(values).map((value) =>
    value === null ? undefined : printable(textOf(value))
  );
  const { alive } = await readMembers(node, keys);
  return { format, shards, members: alive.map(({ name }) => name) };
}

/** Reads the state of a cluster. @throws {RedisError} */
export async function readClusterState(
  node: RedisNode,
): Promise<ReadonlyMap<string, string>> {
  const text = textOf(await node.send(["CLUSTER", "INFO"]));
  return new Map(
    text.split("\r\n").map((line) => line.split(":", 2) as [string, string]),
  );
}

/**
 * Returns the commands that the user of a connection may not send, with the key
 * if it is the key that is forbidden. Nothing is
 * done: Redis checks the rights when it queues a command of a transaction.
 *
 * @returns undefined if that cannot be checked
 * @throws {RedisError} of the connection
 */
export async function forbiddenCommands(
  node: RedisNode,
  commands: readonly (readonly string[])[],
): Promise<string[] | undefined> {
  const forbidden = new Set<string>();
  try {
    await node.send(["MULTI"]);
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
  for (const command of commands) {
    try {
      await node.send(command);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.kind !== "access") continue;
      const [name, key] = command;
      // Redis 7.0: "no permissions to access one of the keys", 7.2: "a key".
      const isKey = /\bkeys?\b/.test(error.message);
      forbidden.add(isKey ? `${name} with the key ${key}` : name!);
    }
  }
  await optional(node.send(["DISCARD"]));
  return [...forbidden];
}

/** Returns a reply; undefined if Redis refuses the command. */
async function optional(reply: Promise<Reply>): Promise<Reply | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

function isRefusal(error: unknown): error is RedisError {
  return error instanceof RedisError && error.kind !== "connection";
}

function listOf(reply: Reply): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}
