/**
 * When each server of a shared store was alive last.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { Backoff } from "../../common/backoff.ts";
import {
  COMMAND_TIMEOUT_MS,
  type Deployment,
  type RedisNode,
} from "./deployment.ts";
import type { Keys } from "./keys.ts";
import type { RedisProblem } from "./redis_problem.ts";
import { list, text } from "./stream_entry.ts";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/**
 * A copy of another store has the time under this name, for servers of any name.
 */
export const ANY_NAME = "";
const SOURCE = "alive";

/** What {@linkcode AliveTimes} needs. */
export interface AliveTimesOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  readonly problem: RedisProblem;
  /** The name of this server. */
  readonly name: string;
}

/**
 * Stores the time of this server's last entry `alive`. It is about one server,
 * not about the map, so it is in no journal.
 */
export class AliveTimes {
  readonly #options: AliveTimesOptions;
  readonly #closing = new AbortController();
  #node: RedisNode | undefined;
  #last: number | undefined;

  constructor(options: AliveTimesOptions) {
    this.#options = options;
  }

  /** The time that was stored last, in ms since 1970. */
  get last(): number | undefined {
    return this.#last;
  }

  /** Reads the time. @throws {RedisError} */
  async load(node: RedisNode): Promise<void> {
    const { keys, name } = this.#options;
    const times = await node.send(
      ["HMGET", keys.alive, name, ANY_NAME],
      COMMAND_TIMEOUT_MS,
    );
    const reply = list(times).find((one) => one !== null);
    const time = reply === undefined ? NaN : Number(text(reply));
    this.#last = Number.isFinite(time) ? time : undefined;
  }

  /**
   * Stores the time. Tries until Redis has it, or until the end.
   *
   * @param time ms since 1970
   * @returns false at the end
   */
  async store(time: number): Promise<boolean> {
    const { deployment, keys, name, problem } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    while (!signal.aborted) {
      const start = performance.now();
      try {
        const node = this.#node ??= await deployment.open(keys.meta);
        await node.send(
          ["HSET", keys.alive, name, `${time}`],
          COMMAND_TIMEOUT_MS,
        );
        problem.works(SOURCE);
        this.#last = time;
        return true;
      } catch (error) {
        this.#node?.close();
        this.#node = undefined;
        deployment.changed();
        problem.failed(SOURCE, error, start);
        await delay(backoff.next(), signal);
      }
    }
    return false;
  }

  /** Ends. */
  close(): void {
    this.#closing.abort();
    this.#node?.close();
    this.#node = undefined;
  }
}
