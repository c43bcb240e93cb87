/** A model of the journals in Redis: what any server must make of them. */
import { crc32 } from "node:zlib";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { decodeEntries } from "../../../src/store/entry_codec.ts";
import { applyEntry } from "../../../src/store/store.ts";
import type { RedisServer } from "../../support/redis.ts";

/** Returns the fields of all entries of a journal, by id. */
export async function readJournal(
  redis: RedisServer,
  shard: number,
): Promise<[id: string, fields: Map<string, Uint8Array>][]> {
  const reply = await redis.command(
    ...["XRANGE", `{occupancy/${shard}}:journal`, "-", "+"],
  );
  // deno-lint-ignore no-explicit-any
  return reply.map(([id, flat]: any) => {
    const fields = new Map<string, Uint8Array>();
    for (let i = 0; i < flat.length; i += 2) {
      fields.set(String(flat[i]), flat[i + 1]);
    }
    return [String(id), fields];
  });
}

/**
 * Returns the reply to XINFO STREAM as texts, by name.
 *
 * @param key of a journal
 */
export async function journalInfo(
  redis: RedisServer,
  key: string,
): Promise<Map<string, string>> {
  const flat: unknown[] = await redis.command("XINFO", "STREAM", key);
  const info = new Map<string, string>();
  for (let i = 0; i < flat.length; i += 2) {
    info.set(`${flat[i]}`, `${flat[i + 1]}`);
  }
  return info;
}

/** Returns true if entries were trimmed from a journal. */
export async function isTrimmed(
  redis: RedisServer,
  key: string,
): Promise<boolean> {
  const info = await journalInfo(redis, key);
  return Number(info.get("length")) < Number(info.get("entries-added"));
}

/** Applies all journals: each writer's numbers once, with a clock that rises. */
export async function modelOf(
  redis: RedisServer,
  shards: number,
): Promise<OccupancyMap> {
  const map = new OccupancyMap({}, { shards });
  for (let shard = 0; shard < shards; shard++) {
    const seen = new Set<string>();
    let highest = 0;
    for (const [, fields] of await readJournal(redis, shard)) {
      const writer = String(fields.get("w"));
      const content = fields.get("d");
      if (content === undefined || seen.has(writer)) continue;
      if (String(crc32(content)) !== String(fields.get("c"))) continue;
      seen.add(writer);
      for (const entry of decodeEntries(content)) {
        highest = Math.max(highest, entry.now);
        applyEntry(map, { ...entry, now: highest }, shard);
      }
    }
  }
  return map;
}
