/**
 * Deletes the keys of a map in Redis.
 *
 * @module
 */
import { MAX_SHARDS } from "../../grid/mod.ts";
import type { Deployment, RedisNode } from "../redis/deployment.ts";
import { textOf } from "../redis/info.ts";
import type { Keys } from "../redis/keys.ts";
import { openMasters } from "../redis/open_masters.ts";
import type { CopyEntry } from "./copy_entry.ts";

/** Keys that Redis looks at in one step. */
const SCAN_COUNT = "1000";

/**
 * Deletes all keys of a map, of whatever version, except those of the entry of a
 * copy: so what is left of an interrupted deletion is not taken for a map.
 *
 * @param entry is checked before each step
 * @throws {StoreError} if the entry is not that of this copy any more
 * @throws {RedisError} if that fails; some may be left
 */
export async function deleteKeys(
  deployment: Deployment,
  keys: Keys,
  entry: CopyEntry,
): Promise<void> {
  for (
    const node of await openMasters(deployment, keys, MAX_SHARDS)
  ) {
    try {
      for (const pattern of keys.patterns) {
        await deleteMatching(node, pattern, entry);
      }
    } finally {
      node.close();
    }
  }
}

async function deleteMatching(
  node: RedisNode,
  pattern: string,
  entry: CopyEntry,
): Promise<void> {
  let cursor = "0";
  do {
    const reply = await node.send(
      ["SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_COUNT],
    );
    const [next, found] = reply as [Uint8Array, Uint8Array[]];
    cursor = textOf(next);
    const obsolete = found.filter((key) => !entry.keys.includes(textOf(key)));
    if (obsolete.length === 0) continue;
    await entry.assertOurs();
    // One by one: in a cluster they are in different slots.
    await Promise.all(obsolete.map((key) => node.send(["UNLINK", key])));
  } while (cursor !== "0");
}
