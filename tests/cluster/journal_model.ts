/**
 * Makes the maps that the journals in Redis describe, by the plain rules: in
 * the order of the entries, each once, with a clock that never goes back. It shares
 * only the codec with the servers.
 *
 * @module
 */
import { delay } from "../../src/common/async.ts";
import { decodeEntries } from "../../src/store/entry_codec.ts";
import { parseRedisAddress } from "../../src/store/redis/address.ts";
import { openDeployment } from "../../src/store/redis/connect.ts";
import type {
  Deployment,
  RedisNode,
  Reply,
} from "../../src/store/redis/deployment.ts";
import { Keys } from "../../src/store/redis/keys.ts";
import {
  compareIds,
  list,
  parseEntry,
  type StreamEntry,
  text,
} from "../../src/store/redis/stream_entry.ts";
import type { Entry } from "../../src/store/store.ts";
import { Model, type Reading } from "../grid/model.ts";

/** Of the servers, by default. */
const SHARDS = 16;
/** `--max-skew` of a server, by default. */
const MAX_SKEW_MS = 60_000;
const READ_INTERVAL_MS = 500;
const TIMEOUT_MS = 2000;

/**
 * Reads the journals again and again, so that it has what a checkpoint trims.
 * What a failover has lost was not acknowledged: it is forgotten.
 */
export class JournalRecorder implements AsyncDisposable {
  readonly #deployment: Deployment;
  readonly #journals: ShardJournal[];
  readonly #ending = new AbortController();
  readonly #reading: Promise<void>;

  private constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.#journals = Array.from(
      { length: SHARDS },
      (_, shard) => new ShardJournal(deployment, shard),
    );
    this.#reading = this.#read();
  }

  /**
   * Begins to read.
   *
   * @param address of Redis, as after `--store`
   */
  static async start(address: string): Promise<JournalRecorder> {
    return new JournalRecorder(
      await openDeployment(parseRedisAddress(address)),
    );
  }

  /**
   * Reads what the journals have now.
   *
   * @returns a model of each shard
   * @throws {Error} if entries are missing
   */
  async models(): Promise<Model[]> {
    await Promise.all(this.#journals.map((journal) => journal.read()));
    return this.#journals.map((journal) => {
      const model = new Model(Infinity, Infinity, MAX_SKEW_MS);
      for (const entry of journal.entries()) applyToModel(model, entry);
      return model;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#reading;
    this.#deployment.close();
  }

  async #read(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      // A master may be away.
      await Promise.allSettled(this.#journals.map((journal) => journal.read()));
      await delay(READ_INTERVAL_MS, signal);
    }
  }
}

/** The journal of a shard. */
class ShardJournal {
  readonly #deployment: Deployment;
  readonly #key: string;
  #node: RedisNode | undefined;
  #work: Promise<void> = Promise.resolve();
  /** In the order of their ids. */
  #known: StreamEntry[] = [];
  #added = 0;

  constructor(deployment: Deployment, shard: number) {
    this.#deployment = deployment;
    this.#key = new Keys(deployment.prefix).journal(shard);
  }

  /** Reads all that it has now. @throws {RedisError} */
  read(): Promise<void> {
    const read = this.#work.catch(() => {}).then(() => this.#read());
    this.#work = read;
    return read;
  }

  /**
   * Returns the entries, each once, with the clock of the shard.
   *
   * @throws {Error} if one is damaged, or some are missing
   */
  entries(): Entry[] {
    const { length } = this.#known;
    if (length < this.#added) {
      throw new Error(`${this.#key}: ${length} of ${this.#added} entries`);
    }
    const written = new Map<string, number>();
    const entries: Entry[] = [];
    let now = -Infinity;
    for (const { run, sequence, content, damage } of this.#known) {
      if (damage !== undefined) throw new Error(`${this.#key}: ${damage}`);
      if (content === undefined) continue;
      if (sequence <= (written.get(run) ?? 0)) continue; // written again
      written.set(run, sequence);
      for (const entry of decodeEntries(content)) {
        now = Math.max(now, entry.now);
        entries.push({ ...entry, now });
      }
    }
    return entries;
  }

  async #read(): Promise<void> {
    try {
      const node = this.#node ??= await this.#deployment.open(this.#key);
      const send = (...words: string[]) => node.send(words, TIMEOUT_MS);
      // First the count: entries may be added in between.
      const info = await send("XINFO", "STREAM", this.#key)
        .catch(() => []); // no entries yet
      const present = list(await send("XRANGE", this.#key, "-", "+"))
        .map(parseEntry);
      this.#added = addedOf(list(info));
      const first = present[0]?.id;
      // Those before were trimmed.
      const trimmed = this.#known.filter(({ id }) =>
        first === undefined || compareIds(id, first) < 0
      );
      this.#known = [...trimmed, ...present];
    } catch (error) {
      this.#node?.close();
      this.#node = undefined;
      this.#deployment.changed();
      throw error;
    }
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

/** Returns how many entries were ever added, from the reply of XINFO STREAM. */
function addedOf(info: readonly Reply[]): number {
  const at = info.findIndex((one) =>
    !Array.isArray(one) && one !== null && text(one) === "entries-added"
  );
  return at < 0 ? 0 : Number(text(info[at + 1]));
}
