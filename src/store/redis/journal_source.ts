/**
 * Reads the journal of a shard from Redis, without a gap.
 *
 * @module
 */
import {
  COMMAND_TIMEOUT_MS,
  type Deployment,
  RedisError,
  type RedisNode,
  type Reply,
} from "./deployment.ts";
import {
  compareIds,
  entryFields,
  FIRST_ID,
  list,
  parseRead,
  SAFE_ON_ARRIVAL,
  type StreamEntry,
  text,
} from "./stream_entry.ts";

/** Entries of a block: at most about 2 MiB. */
const BLOCK_ENTRIES = 32;
/** How long Redis waits for a next entry, in ms. */
const BLOCK_MS = 1000;
/** How long Redis waits for its replicas before it answers, in ms. */
const WAIT_MS = 1000;
/**
 * After so long without an answer, other entries may have been trimmed, or
 * another master may have come and gone: then the reader begins anew. Far below
 * the 10 s for which entries are kept (see {@linkcode MIN_ENTRY_AGE_MS}).
 */
const MAX_SILENCE_MS = 5000;

/**
 * Entries that are younger are never trimmed, in ms of Redis' clock: so a reader
 * that was at the end a moment ago misses none.
 */
export const MIN_ENTRY_AGE_MS = 10_000;

/** Entries after the position are not in the journal any more. */
export class JournalGapError extends Error {
  override readonly name = "JournalGapError";
  /** Trimmed behind a checkpoint, or lost by Redis. */
  readonly reason: "trimmed" | "lost";

  constructor(reason: "trimmed" | "lost") {
    super(`entries were ${reason}`);
    this.reason = reason;
  }
}

/** A connection that reads one journal, from a position on. */
export class JournalSource {
  readonly #node: RedisNode;
  readonly #key: string;
  /** The last id that was read. */
  #readTo: string;
  /** False if there may be more entries than were read. */
  #isAtEnd = false;
  /** True if it is known that the journal does not reach the position. */
  #isLost: boolean;
  #answeredAt = performance.now();
  /** Redis' clock minus that of this machine, in ms. */
  readonly clockOffset: number;

  private constructor(
    node: RedisNode,
    key: string,
    position: string,
    isLost: boolean,
    clockOffset: number,
  ) {
    this.#node = node;
    this.#key = key;
    this.#readTo = position;
    this.#isLost = isLost;
    this.clockOffset = clockOffset;
  }

  /**
   * Connects to the master of a journal.
   *
   * @param position entries after this id are read
   * @param isLost true if it is known that Redis has lost the end of the journal,
   * or all of it: a checkpoint reaches further
   * @throws {RedisError}
   */
  static async open(
    deployment: Deployment,
    key: string,
    position: string,
    isLost = false,
  ): Promise<JournalSource> {
    const node = await deployment.open(key);
    try {
      const [seconds, micros] = list(
        await node.send(["TIME"], COMMAND_TIMEOUT_MS),
      ).map(Number);
      const offset = seconds! * 1000 + micros! / 1000 - Date.now();
      return new JournalSource(node, key, position, isLost, offset);
    } catch (error) {
      node.close();
      throw error;
    }
  }

  /** True if the last read returned all that there was. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /**
   * Returns the next entries; none if there are none. At the end it waits for
   * one, up to a second.
   *
   * @throws {RedisError}
   * @throws {JournalGapError} if entries are missing
   */
  async read(): Promise<StreamEntry[]> {
    this.#checkSilence();
    const entries = this.#isAtEnd ? await this.#await() : await this.#next();
    this.#answeredAt = performance.now();
    this.#isAtEnd = entries.length < BLOCK_ENTRIES;
    if (entries.length > 0) this.#isLost = false;
    this.#readTo = entries.at(-1)?.id ?? this.#readTo;
    return entries;
  }

  /**
   * Appends a marker, and waits until it is safe.
   *
   * @param run identifies this run of the server
   * @param replicas how many must confirm it
   * @returns its id, up to which all entries are safe; undefined if too few
   * replicas have confirmed it in time
   * @throws {RedisError}
   */
  async mark(run: string, replicas: number): Promise<string | undefined> {
    const safe = replicas === 0 ? SAFE_ON_ARRIVAL : undefined;
    const marker = entryFields(run, 0, safe) as string[];
    const adding = this.#send("XADD", this.#key, "*", ...marker);
    // Directly behind: WAIT is about the last write of its connection.
    const waiting = this.#send("WAIT", `${replicas}`, `${WAIT_MS}`);
    waiting.catch(() => {});
    const id = text(await adding);
    const confirmed = Number(await waiting);
    this.#isAtEnd = false;
    return confirmed >= replicas ? id : undefined;
  }

  /** Closes the connection. May be called more than once. */
  close(): void {
    this.#node.close();
  }

  /**
   * Away from the end: entries are trimmed between two reads, so it checks. What
   * was trimmed before `XREAD`, and which role the node had then, shows behind it.
   * Not in a transaction: above `maxmemory` Redis refuses all commands of one.
   */
  async #next(): Promise<StreamEntry[]> {
    if (!await this.#checkKey()) {
      await this.#checkRole();
      return [];
    }
    const [read, info, role] = await Promise.all([
      this.#send(...this.#read()),
      this.#send("XINFO", "STREAM", this.#key),
      this.#send("ROLE"),
    ]);
    checkRole(role);
    this.#checkGap(list(info));
    return parseRead(read);
  }

  /** At the end: what comes now is not trimmed yet. */
  async #await(): Promise<StreamEntry[]> {
    const reading = this.#send(...this.#read("BLOCK", `${BLOCK_MS}`));
    const checking = this.#checkRole();
    checking.catch(() => {});
    const reply = await reading;
    await checking;
    if (reply === null) await this.#checkKey();
    this.#checkSilence();
    return parseRead(reply);
  }

  /**
   * A master that became a replica has another history of entries. Redis ends
   * blocked commands then, but not the connections.
   */
  async #checkRole(): Promise<void> {
    checkRole(await this.#send("ROLE"));
  }

  #checkSilence(): void {
    const ms = Math.round(performance.now() - this.#answeredAt);
    if (ms < MAX_SILENCE_MS) return;
    throw new RedisError(
      "connection",
      `Nothing was read from Redis for ${ms} ms: the process stood still`,
    );
  }

  /** Returns whether there is a journal. */
  async #checkKey(): Promise<boolean> {
    const exists = Number(await this.#send("EXISTS", this.#key)) > 0;
    if (!exists && this.#readTo !== FIRST_ID && !this.#isLost) {
      throw new JournalGapError("lost");
    }
    return exists;
  }

  #checkGap(info: readonly Reply[]): void {
    const field = (name: string) => {
      for (let i = 0; i + 1 < info.length; i += 2) {
        if (text(info[i]) === name) return text(info[i + 1]);
      }
      throw new RangeError(`XINFO STREAM has no field ${name}`);
    };
    const isBehind = (name: string) =>
      compareIds(this.#readTo, field(name)) < 0;
    const isBeyond = compareIds(this.#readTo, field("last-generated-id")) > 0;
    if (isBeyond && !this.#isLost) {
      throw new JournalGapError("lost");
    }
    if (isBehind("max-deleted-entry-id")) throw new JournalGapError("trimmed");
    // XTRIM does not note the last id that it deletes. Checkpoints do that with
    // XDEL, but an operator may not.
    const isWhole = field("length") === field("entries-added");
    if (!isBehind("recorded-first-entry-id")) return;
    if (isWhole && this.#readTo !== FIRST_ID && !this.#isLost) {
      throw new JournalGapError("lost"); // a new journal
    }
    if (!isWhole && field("max-deleted-entry-id") === FIRST_ID) {
      throw new JournalGapError("trimmed");
    }
  }

  #read(...options: string[]): string[] {
    return [
      ...["XREAD", "COUNT", `${BLOCK_ENTRIES}`, ...options],
      ...["STREAMS", this.#key, this.#readTo],
    ];
  }

  #send(...command: string[]) {
    return this.#node.send(command, COMMAND_TIMEOUT_MS);
  }
}

function checkRole(reply: Reply | undefined): void {
  const role = text(list(reply)[0]);
  if (role !== "master") {
    throw new RedisError("elsewhere", `the node is a ${role} now`);
  }
}
