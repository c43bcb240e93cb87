/**
 * Makes the map that the journals in Redis describe, by the plain rules: in the
 * order of the entries, each once, with a clock that never goes back. Reads
 * each journal at once when all is quiet, so it shares nothing with the readers
 * of a store but the codec.
 *
 * @module
 */
import { OccupancyMap } from "../../src/grid/mod.ts";
import { decodeEntries } from "../../src/store/entry_codec.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openDeployment } from "../../src/store/redis/connect.ts";
import type {
  Deployment,
  RedisNode,
} from "../../src/store/redis/deployment.ts";
import { Keys } from "../../src/store/redis/keys.ts";
import { list, parseEntry, text } from "../../src/store/redis/stream_entry.ts";
import { applyEntry } from "../../src/store/store.ts";

/** Of the servers, by default. */
export const SHARDS = 16;
const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Reads the journals of all shards.
 *
 * @param address of Redis, as after `--store`
 * @returns undefined if a journal was shortened: its beginning is in a
 * checkpoint
 */
export async function modelOf(
  address: string,
): Promise<OccupancyMap | undefined> {
  const deployment = await openDeployment(parseRedisAddress(address));
  try {
    const map = new OccupancyMap({}, { shards: SHARDS });
    for (let shard = 0; shard < SHARDS; shard++) {
      if (!await replay(deployment, map, shard)) return undefined;
    }
    return map;
  } finally {
    deployment.close();
  }
}

async function replay(
  deployment: Deployment,
  map: OccupancyMap,
  shard: number,
): Promise<boolean> {
  const key = new Keys(deployment.prefix).journal(shard);
  const node = await deployment.open(key);
  try {
    const entries = list(
      await node.send(["XRANGE", key, "-", "+"], COMMAND_TIMEOUT_MS),
    );
    if (entries.length === 0) return true;
    if (await addedTo(node, key) > entries.length) return false;
    const written = new Map<string, number>();
    let now = -Infinity;
    for (const reply of entries) {
      const { run, sequence, content, damage } = parseEntry(reply);
      if (damage !== undefined) throw new Error(`${key}: ${damage}`);
      if (content === undefined) continue;
      if (sequence <= (written.get(run) ?? 0)) continue; // written again
      written.set(run, sequence);
      for (const entry of decodeEntries(content)) {
        now = Math.max(now, entry.now);
        applyEntry(map, { ...entry, now }, shard);
      }
    }
    return true;
  } finally {
    node.close();
  }
}

/** Returns how many entries were ever added to a stream. */
async function addedTo(node: RedisNode, key: string): Promise<number> {
  const info = list(await node.send(["XINFO", "STREAM", key])).map((one) =>
    Array.isArray(one) ? "" : text(one)
  );
  return Number(info[info.indexOf("entries-added") + 1]);
}
