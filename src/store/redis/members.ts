/**
 * The servers that share a store.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { StoreError } from "../store.ts";
import {
  ClockWatch,
  type ClockWatchOptions,
  measureClock,
} from "./clock_watch.ts";
import {
  COMMAND_TIMEOUT_MS,
  type Deployment,
  type RedisNode,
} from "./deployment.ts";
import type { Keys } from "./keys.ts";
import type { RedisProblem } from "./redis_problem.ts";
import { list, text } from "./stream_entry.ts";

/** A server that does not renew its key for this time is gone, in ms. */
const MEMBER_TTL_MS = 5000;
const RENEW_INTERVAL_MS = 1500;
/** A key that lasts longer is renewed by another server, in ms. */
const TAKEOVER_MS = MEMBER_TTL_MS + RENEW_INTERVAL_MS;
const TAKEOVER_INTERVAL_MS = 100;

/** Ends the value of a key whose server has applied nearly all. */
const CAUGHT_UP = ":ready";

/**
 * Keys: member, members. Arguments: our run id, the end of the value, expiry in
 * ms, our name. Sets the member and adds the name, unless the member is of another
 * run. Returns 1 if it was set. Works also above `maxmemory`, so that a server can
 * start then and write the checkpoints that free memory.
 */
const RENEW = `#!lua flags=allow-oom
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
return 1`;
/**
 * Keys: member, members. Arguments: our run id, our name. Deletes both, unless
 * the member is of another run.
 */
const LEAVE = `
local value = redis.call('GET', KEYS[1])
if value and string.sub(value, 1, #ARGV[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], ARGV[2])
end
return 0`;

/** What {@linkcode Members} needs. */
export interface MembersOptions extends ClockWatchOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  readonly problem: RedisProblem;
  /** The name of this server. */
  readonly name: string;
  /** Identifies this run of the server. */
  readonly run: string;
  /**
   * Returns true if this server has applied nearly all that was committed, and
   * can publish.
   */
  readonly isCaughtUp: () => boolean;
  /** The clock of this machine, ms since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A server that is connected to the store. */
export interface Member {
  readonly name: string;
  /** True if it has applied nearly all that was committed, and can publish. */
  readonly caughtUp: boolean;
}

/**
 * Reads which servers are connected to a store.
 *
 * @param node the master of {@linkcode Keys.meta}
 * @param keys the keys of the map
 * @param timeout of each command, in ms
 * @returns those that are connected, sorted by name, and the names of those that
 * were
 * @throws {RedisError} the error of Redis
 */
export async function readMembers(
  node: RedisNode,
  keys: Keys,
  timeout?: number,
): Promise<{ readonly alive: readonly Member[]; readonly gone: string[] }> {
  const names = list(await node.send(["SMEMBERS", keys.members], timeout))
    .map(text).sort();
  const values = await Promise.all(
    names.map((name) => node.send(["GET", keys.member(name)], timeout)),
  );
  const alive = names.flatMap((name, i) => {
    const value = values[i]!;
    if (value === null) return [];
    return [{ name, caughtUp: text(value).endsWith(CAUGHT_UP) }];
  });
  return { alive, gone: names.filter((_, i) => values[i] === null) };
}

/** Announces this server to the others, and knows their names. */
export class Members {
  readonly #options: MembersOptions;
  readonly #closing = new AbortController();
  readonly #observers = new Set<() => void>();
  readonly #clock: ClockWatch;
  #node: RedisNode | undefined;
  #alive: readonly Member[] = [];
  #renewing: Promise<void> | undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#clock = new ClockWatch(options);
  }

  /** The servers that are connected, sorted by name. */
  get alive(): readonly Member[] {
    return this.#alive;
  }

  /** Calls back when they changed. Returns a function that ends it. */
  observe(onChange: () => void): () => void {
    this.#observers.add(onChange);
    return () => this.#observers.delete(onChange);
  }

  /**
   * Announces this server, and begins to renew that.
   *
   * @throws {StoreError} if another server has the name
   * @throws {RedisError} the error of Redis
   */
  async join(): Promise<void> {
    const start = performance.now();
    // The key of a server that was killed has to expire first.
    while (!await this.#renewKey()) {
      if (performance.now() - start > TAKEOVER_MS) throw this.#nameError();
      await delay(TAKEOVER_INTERVAL_MS, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
    }
    await this.#readMembers();
    await this.#compareClocks();
    this.#renewing ??= this.#renew();
  }

  /** Ends; the others learn it at once, if Redis answers. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#renewing;
    const { keys, name, run } = this.#options;
    if (this.#renewing !== undefined && this.#node !== undefined) {
      const all = [keys.member(name), keys.members];
      await this.#send("EVAL", LEAVE, "2", ...all, run, name)
        .catch(() => {}); // it expires
    }
    this.#drop();
  }

  async #renew(): Promise<void> {
    const { deployment, problem } = this.#options;
    const { signal } = this.#closing;
    for (;;) {
      await delay(RENEW_INTERVAL_MS, signal);
      if (signal.aborted) return;
      const start = performance.now();
      try {
        if (!await this.#renewKey()) throw this.#nameError();
        await this.#readMembers();
        await this.#compareClocks();
        problem.works("members");
      } catch (error) {
        if (!(error instanceof StoreError)) {
          this.#drop();
          deployment.changed();
        }
        problem.failed("members", error, start);
      }
    }
  }

  /** Returns false if another server has the name. */
  async #renewKey(): Promise<boolean> {
    const { deployment, keys, name, run, isCaughtUp } = this.#options;
    this.#node ??= await deployment.open(keys.meta);
    const end = isCaughtUp() ? CAUGHT_UP : "";
    const isSet = await this.#send(
      ...["EVAL", RENEW, "2", keys.member(name), keys.members],
      ...[run, end, `${MEMBER_TTL_MS}`, name],
    );
    return Number(isSet) !== 0;
  }

  async #readMembers(): Promise<void> {
    const { keys } = this.#options;
    const { alive, gone } = await readMembers(
      this.#node!,
      keys,
      COMMAND_TIMEOUT_MS,
    );
    // One that is only late adds itself again with its next renewal.
    if (gone.length > 0) await this.#send("SREM", keys.members, ...gone);
    if (JSON.stringify(alive) === JSON.stringify(this.#alive)) return;
    this.#alive = alive;
    for (const onChange of [...this.#observers]) onChange();
  }

  async #compareClocks(): Promise<void> {
    const node = this.#node!;
    const { now } = this.#options;
    const difference = await measureClock(node, now, COMMAND_TIMEOUT_MS);
    this.#clock.note(difference, node.address);
  }

  #send(...command: string[]) {
    return this.#node!.send(command, COMMAND_TIMEOUT_MS);
  }

  #drop(): void {
    this.#node?.close();
    this.#node = undefined;
  }

  #nameError(): StoreError {
    const { name, deployment } = this.#options;
    return new StoreError(
      `Another server uses the name "${name}" with ${deployment.description}`,
      { hint: "Give each server a name of its own: --name." },
    );
  }
}
