/**
 * Makes the maps that the journals in Redis describe, by the plain rules: in
 * the order of the entries, each once, with a clock that never goes back. Reads
 * each journal at once when all is quiet, so it shares nothing with the servers
 * but the codec.
 *
 * @module
 */
import { decodeEntries } from "../../src/store/entry_codec.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openDeployment } from "../../src/store/redis/connect.ts";
import type {
  Deployment,
  RedisNode,
} from "../../src/store/redis/deployment.ts";
import { Keys } from "../../src/store/redis/keys.ts";
import { list, parseEntry, text } from "../../src/store/redis/stream_entry.ts";
import type { Entry } from "../../src/store/store.ts";
import { Model, type Reading } from "../grid/model.ts";

/** Of the servers, by default. */
const SHARDS = 16;
/** `--max-skew` of a server, by default. */
const MAX_SKEW_MS = 60_000;
const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Reads the journals of all shards.
 *
 * @param address of Redis, as after `--store`
 * @returns a model of each shard; undefined if a journal was shortened: its
 * beginning is in a checkpoint
 */
export async function readModels(
  address: string,
): Promise<Model[] | undefined> {
  const deployment = await openDeployment(parseRedisAddress(address));
  try {
    const models: Model[] = [];
    for (let shard = 0; shard < SHARDS; shard++) {
      const entries = await readJournal(deployment, shard);
      if (entries === undefined) return undefined;
      const model = new Model(Infinity, Infinity, MAX_SKEW_MS);
      for (const entry of entries) applyToModel(model, entry);
      models.push(model);
    }
    return models;
  } finally {
    deployment.close();
  }
}

/** Returns the entries of a journal, each once, with the clock of the shard. */
async function readJournal(
  deployment: Deployment,
  shard: number,
): Promise<Entry[] | undefined> {
  const key = new Keys(deployment.prefix).journal(shard);
  const node = await deployment.open(key);
  try {
    const range = ["XRANGE", key, "-", "+"];
    const replies = list(await node.send(range, COMMAND_TIMEOUT_MS));
    if (replies.length === 0) return [];
    if (await addedTo(node, key) > replies.length) return undefined;
    const written = new Map<string, number>();
    const entries: Entry[] = [];
    let now = -Infinity;
    for (const reply of replies) {
      const { run, sequence, content, damage } = parseEntry(reply);
      if (damage !== undefined) throw new Error(`${key}: ${damage}`);
      if (content === undefined) continue;
      if (sequence <= (written.get(run) ?? 0)) continue; // written again
      written.set(run, sequence);
      for (const entry of decodeEntries(content)) {
        now = Math.max(now, entry.now);
        entries.push({ ...entry, now });
      }
    }
    return entries;
  } finally {
    node.close();
  }
}

function applyToModel(model: Model, entry: Entry): void {
  switch (entry.kind) {
    case "apply": {
      const { length, x, y, value, time } = entry.readings;
      const readings = Array.from(
        { length },
        (_, i): Reading => [x[i]!, y[i]!, value[i]!, time[i]!],
      );
      model.apply(entry.layer, readings, entry.now);
      return;
    }
    case "age":
      model.age(entry.now);
      return;
    case "age-tiles":
      model.ageTiles(entry.layer, entry.tiles, entry.now);
      return;
    case "configure":
      model.staleAfter = entry.ageing.staleAfter;
      model.forgetAfter = entry.ageing.forgetAfter;
      return;
    case "delete":
      model.deleteLayer(entry.layer, entry.now);
      return;
    case "remove":
      throw new Error("The model does not remove cells");
    case "alive":
    case "records":
  }
}

/** Returns how many entries were ever added to a stream. */
async function addedTo(node: RedisNode, key: string): Promise<number> {
  const info = list(await node.send(["XINFO", "STREAM", key])).map((one) =>
    Array.isArray(one) ? "" : text(one)
  );
  return Number(info[info.indexOf("entries-added") + 1]);
}
