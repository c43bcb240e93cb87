/**
 * The entry of a copy among the servers of a map in Redis. While it is there, no
 * other copy writes to the same place; without it, this one may not either.
 *
 * @module
 */
import {
  type Deployment,
  RedisError,
  type RedisNode,
} from "../redis/deployment.ts";
import type { Keys } from "../redis/keys.ts";
import { COPY_FORMAT } from "../redis/keyspace.ts";
import { text } from "../redis/stream_entry.ts";
import { StoreError } from "../store.ts";

/** The member name of a copy. */
export const COPY_NAME = "store-copy";
/** A copy that does not renew its entry for this time was killed, in ms. */
const ENTRY_MS = 20_000;
const RENEWAL_MS = 5000;

/**
 * Keys: meta, member, members. Arguments: our entry, expiry in ms, our name, the
 * format of a copy, number of shards. Returns 0 if another copy has an entry.
 */
const TAKE = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[1], KEYS[3])
redis.call('SADD', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[1], 'format', ARGV[4], 'shards', ARGV[5])
return 1`;
/** Key: member. Arguments: our entry, expiry in ms. */
const RENEW = `
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1`;
/**
 * Keys: meta, member, members. Arguments: our entry, our name, the format of a
 * complete map, or an empty string to delete what describes the map. Returns 0
 * if the entry is not ours: then another copy may have begun.
 */
const FINISH = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('SREM', KEYS[3], ARGV[2])
if ARGV[3] == '' then redis.call('DEL', KEYS[1])
else redis.call('HSET', KEYS[1], 'format', ARGV[3]) end
return 1`;

/** The entry of one copy. */
export class CopyEntry {
  /** The keys that have to stay while anything else of the map is deleted. */
  readonly keys: readonly [meta: string, member: string, members: string];
  readonly #deployment: Deployment;
  readonly #description: string;
  readonly #value = `copy:${crypto.randomUUID()}`;
  #node: RedisNode | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param description the address of the store, for errors */
  constructor(deployment: Deployment, keys: Keys, description: string) {
    this.#deployment = deployment;
    this.#description = description;
    this.keys = [keys.meta, keys.member(COPY_NAME), keys.members];
  }

  /**
   * Makes the entry, and marks the map, if there is one, as one that no server
   * uses.
   *
   * @param shards the number of shards
   * @returns false if there is one of another copy
   * @throws {RedisError} the error of Redis
   */
  async take(shards: number): Promise<boolean> {
    const taken = await this.#send(
      ...["EVAL", TAKE, "3", ...this.keys],
      ...[this.#value, `${ENTRY_MS}`, COPY_NAME, COPY_FORMAT, `${shards}`],
    );
    if (Number(taken) === 0) return false;
    const member = this.keys[1];
    this.#timer = setInterval(() => {
      // After an error it fails at its next step, or the entry expires.
      this.#send("EVAL", RENEW, "1", member, this.#value, `${ENTRY_MS}`)
        .catch(() => {});
    }, RENEWAL_MS);
    return true;
  }

  /** Returns whether no other copy can have begun. @throws {RedisError} */
  async isOurs(): Promise<boolean> {
    const value = await this.#send("GET", this.keys[1]);
    return value !== null && text(value) === this.#value;
  }

  /** @throws {StoreError} if another copy can have begun */
  async assertOurs(): Promise<void> {
    if (!await this.isOurs()) throw this.#lostError();
  }

  /**
   * Removes the entry, if it is still that of this copy.
   *
   * @param node does it: a connection to the master of the map's description
   * @param format lets servers of this format use the map; undefined deletes
   * what describes the map
   * @throws {StoreError} if another copy can have begun; then nothing is changed
   * @throws {RedisError} the error of Redis
   */
  async finish(node: RedisNode, format: string | undefined): Promise<void> {
    const done = await node.send([
      ...["EVAL", FINISH, "3", ...this.keys],
      ...[this.#value, COPY_NAME, format ?? ""],
    ]);
    if (Number(done) === 0) throw this.#lostError();
    this.close();
  }

  /** Does not renew the entry any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#node?.close();
    this.#node = undefined;
  }

  async #send(...command: string[]) {
    const node = this.#node ??= await this.#deployment.open(this.keys[0]);
    try {
      return await node.send(command);
    } catch (error) {
      if (
        error instanceof RedisError &&
        (error.kind === "connection" || error.kind === "elsewhere")
      ) {
        node.close();
        if (this.#node === node) this.#node = undefined;
        this.#deployment.changed();
      }
      throw error;
    }
  }

  #lostError(): StoreError {
    return new StoreError(
      `The copy into ${this.#description} stood still for too long: another one may have begun`,
      { hint: "Run it again." },
    );
  }
}
