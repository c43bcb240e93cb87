/**
 * Appends the entries of this server to the journal of a shard.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { Backoff } from "../../common/backoff.ts";
import { Fifo } from "../../common/fifo.ts";
import { markerPart, type Part } from "./commit_parts.ts";
import {
  COMMAND_TIMEOUT_MS,
  type Deployment,
  RedisError,
  type RedisNode,
  type Reply,
} from "./deployment.ts";
import { MissingReplicasError, type RedisProblem } from "./redis_problem.ts";
import { entryFields, list, SAFE_ON_ARRIVAL, text } from "./stream_entry.ts";

/**
 * Entries that are sent together. The other servers hold them until they know
 * that they are safe; and they must arrive within the time limit.
 */
const MAX_BATCH_BYTES = 512 * 1024;
/** How long Redis waits for its replicas before it answers, in ms. */
const WAIT_MS = 1000;
/** The master is looked for again after this number of answers of too few replicas. */
const WAITS_BEFORE_SEARCH = 3;
/** The other servers learn after this time that the last entry is safe, in ms. */
const MARKER_DELAY_MS = 1;
const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1000;

/** What a writer needs. */
export interface ShardWriterOptions {
  readonly deployment: Deployment;
  /** The key of the journal. */
  readonly key: string;
  /** Of {@linkcode RedisProblem}. */
  readonly source: string;
  readonly problem: RedisProblem;
  /** Identifies this run of the server, in all journals. */
  readonly run: string;
  /** How many replicas must confirm an entry; valid once something is written. */
  readonly replicas: () => number;
  /** Called when entries became safe. */
  readonly onSafe: () => void;
}

/** A part that has its number. */
interface Numbered {
  readonly part: Part;
  readonly sequence: number;
  /** The id under which it is known to be safe. */
  safeId: string | undefined;
}

/**
 * Appends parts in their order, with one batch at a time in flight. A batch is
 * appended by one transaction, so that all of it or nothing is there, and again
 * on another connection until Redis confirms that it is safe, with the same
 * numbers: a reader applies each number once.
 *
 * An entry is safe when `XADD` has returned and `WAIT` behind it on the same
 * connection has counted enough replicas: `WAIT` is about the last write of its
 * connection, and so about all entries before that one too.
 */
export class ShardWriter {
  readonly #options: ShardWriterOptions;
  readonly #queue = new Fifo<Numbered>();
  /** Parts that were not applied, by number. */
  readonly #unapplied = new Map<number, Numbered>();
  readonly #closing = new AbortController();
  /** The last part of the queue, as long as it was not sent. */
  #last: Numbered | undefined;
  #sequence = 0;
  #node: RedisNode | undefined;
  /**
   * The last id that is safe according to `#node`. Of another connection it
   * would prove nothing: that may be of a master that was replaced, whose
   * journal went on in another way.
   */
  #safeId: string | undefined;
  #running: Promise<void> | undefined;
  #markerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ShardWriterOptions) {
    this.#options = options;
  }

  /** True if nothing waits to become safe. */
  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** True if parts were appended that were not applied. */
  get isAwaited(): boolean {
    return this.#unapplied.size > 0;
  }

  /** Appends parts. Their commits learn when they were applied. */
  append(parts: Iterable<Part>): void {
    for (const part of parts) {
      const numbered = { part, sequence: ++this.#sequence, safeId: undefined };
      this.#unapplied.set(numbered.sequence, numbered);
      this.#queue.push(numbered);
      this.#last = numbered;
    }
    this.#start();
  }

  /**
   * Returns the commit of the last part that was not sent yet: of a marker, if
   * there is none. When it is applied, all is applied that is in the journal now.
   */
  mark(): Part["commit"] {
    if (this.#last !== undefined) return this.#last.part.commit;
    const marker = markerPart();
    this.append([marker]);
    return marker.commit;
  }

  /** Returns the own part with a number; undefined if it was applied. */
  part(sequence: number): Part | undefined {
    return this.#unapplied.get(sequence)?.part;
  }

  /** Returns true if the own entry with a number is safe under an id. */
  isSafe(sequence: number, id: string): boolean {
    return this.#unapplied.get(sequence)?.safeId === id;
  }

  /** Call it when an own part was read and applied. */
  applied(sequence: number): void {
    const numbered = this.#unapplied.get(sequence);
    if (numbered === undefined) return;
    this.#unapplied.delete(sequence);
    numbered.part.commit.partApplied();
  }

  /**
   * Call it when own parts up to a number are in the map without having been
   * read: with a checkpoint.
   */
  appliedUpTo(sequence: number): void {
    for (const each of [...this.#unapplied.keys()]) {
      if (each <= sequence) this.applied(each);
    }
  }

  /** The numbers of own entries that are safe and were not applied. */
  safeSequences(): number[] {
    return [...this.#unapplied.values()]
      .filter(({ safeId }) => safeId !== undefined)
      .map(({ sequence }) => sequence);
  }

  /**
   * Call it for an own entry that is damaged, or that Redis has lost although it
   * was safe: it is written under a new number.
   */
  repeat(sequence: number): void {
    const numbered = this.#unapplied.get(sequence);
    if (numbered === undefined) return;
    this.#unapplied.delete(sequence);
    this.append([numbered.part]);
  }

  /** The commits that wait. */
  *pending(): Generator<Part["commit"]> {
    for (const { part } of this.#unapplied.values()) yield part.commit;
  }

  /** Begins to end. What was not written stays so. */
  stop(): void {
    this.#closing.abort();
    clearTimeout(this.#markerTimer);
    this.#drop();
  }

  /** Resolves after {@linkcode ShardWriter.stop}, when nothing runs any more. */
  async stopped(): Promise<void> {
    await this.#running;
  }

  #start(): void {
    if (!this.isIdle || this.#closing.signal.aborted) return;
    if (this.#queue.length === 0) return;
    clearTimeout(this.#markerTimer);
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      const batch = this.#takeBatch();
      if (batch.length === 0 || signal.aborted) break;
      await this.#writeUntilSafe(batch);
    }
    this.#running = undefined;
    this.#scheduleMarker();
  }

  #takeBatch(): Numbered[] {
    const batch: Numbered[] = [];
    let bytes = 0;
    for (let next; (next = this.#queue.first) !== undefined;) {
      const { content } = next.part;
      const length = (content?.bytes.length ?? 0) +
        (content?.sources?.length ?? 0);
      if (batch.length > 0 && bytes + length > MAX_BATCH_BYTES) break;
      bytes += length;
      batch.push(next);
      this.#queue.shift();
    }
    if (this.#queue.length === 0) this.#last = undefined;
    return batch;
  }

  async #writeUntilSafe(batch: readonly Numbered[]): Promise<void> {
    const { problem, source, deployment } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff(FIRST_RETRY_MS, MAX_RETRY_MS);
    for (;;) {
      // What was appended by an earlier attempt may be applied already.
      const left = batch.filter(({ sequence }) =>
        this.#unapplied.has(sequence)
      );
      if (left.length === 0) break;
      const start = performance.now();
      try {
        await this.#write(left, start);
        break;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof RedisError) || error.kind !== "refused") {
          this.#drop();
          deployment.changed();
        }
        problem.failed(source, error, start);
        await delay(backoff.next(), signal);
        if (signal.aborted) return;
      }
    }
    problem.works(source);
  }

  /** Appends a batch and waits until it is safe. */
  async #write(batch: readonly Numbered[], start: number): Promise<void> {
    const { replicas, onSafe } = this.#options;
    const node = await this.#connection();
    const wanted = replicas();
    const adding = this.#add(node, batch, wanted);
    // Directly behind: WAIT is about the last write of its connection.
    const waiting = wanted > 0 ? this.#wait(node, wanted) : undefined;
    waiting?.catch(() => {}); // the same failure as that of XADD, or a second one
    const ids = await adding;
    if (waiting !== undefined) {
      await this.#untilReplicated(node, wanted, waiting, start);
    }
    batch.forEach((one, i) => one.safeId = ids[i]!);
    this.#safeId = ids.at(-1);
    onSafe();
  }

  /** @returns the ids */
  async #add(
    node: RedisNode,
    batch: readonly Numbered[],
    wanted: number,
  ): Promise<string[]> {
    const { run } = this.#options;
    const safe = wanted === 0 ? SAFE_ON_ARRIVAL : this.#safeId;
    const commands = batch.map(({ part, sequence }) =>
      this.#command(entryFields(run, sequence, safe, part.content))
    );
    if (commands.length === 1) {
      return [text(await node.send(commands[0]!, COMMAND_TIMEOUT_MS))];
    }
    // All or nothing, in this order: a number is never behind a higher one.
    const sent = [["MULTI"], ...commands].map((command) =>
      node.send(command, COMMAND_TIMEOUT_MS)
    );
    const executed = node.send(["EXEC"], COMMAND_TIMEOUT_MS);
    executed.catch(() => {});
    await Promise.all(sent); // the first error says why, that of EXEC does not
    return list(await executed).map(text);
  }

  #command(fields: (string | Uint8Array)[]): (string | Uint8Array)[] {
    return ["XADD", this.#options.key, "*", ...fields];
  }

  /** @returns how many replicas have confirmed, at once if none is wanted */
  async #wait(node: RedisNode, wanted: number): Promise<number> {
    return Number(
      await node.send(["WAIT", `${wanted}`, `${WAIT_MS}`], COMMAND_TIMEOUT_MS),
    );
  }

  /**
   * Waits until enough replicas have confirmed. Appending again would not help,
   * unless another node is master now.
   */
  async #untilReplicated(
    node: RedisNode,
    wanted: number,
    waiting: Promise<Reply | number>,
    start: number,
  ): Promise<void> {
    const { problem, source } = this.#options;
    for (let attempt = 1;; attempt++) {
      const confirmed = Number(await waiting);
      if (confirmed >= wanted) return;
      problem.failed(
        source,
        new MissingReplicasError(confirmed, wanted),
        start,
      );
      if (attempt % WAITS_BEFORE_SEARCH === 0) await this.#checkMaster(node);
      waiting = this.#wait(node, wanted);
    }
  }

  /** @throws {RedisError} if another node is master */
  async #checkMaster(node: RedisNode): Promise<void> {
    const { deployment, key } = this.#options;
    deployment.changed();
    const master = await deployment.open(key);
    master.close();
    if (master.address === node.address) return;
    throw new RedisError("elsewhere", `${master.address} is the master now`);
  }

  async #connection(): Promise<RedisNode> {
    if (this.#node !== undefined) return this.#node;
    const { deployment, key, replicas } = this.#options;
    const node = await deployment.open(key);
    try {
      // First: if WAIT were refused after XADD, each attempt would append again.
      if (replicas() > 0) await this.#wait(node, 0);
      if (this.#closing.signal.aborted) {
        throw new RedisError("connection", "the store was closed");
      }
    } catch (error) {
      node.close();
      throw error;
    }
    this.#safeId = undefined;
    return this.#node = node;
  }

  #drop(): void {
    this.#node?.close();
    this.#node = undefined;
    this.#safeId = undefined;
  }

  /** Without a next entry, a marker says that the last one is safe. */
  #scheduleMarker(): void {
    if (this.#safeId === undefined || this.#options.replicas() === 0) return;
    this.#markerTimer = setTimeout(() => {
      const node = this.#node;
      if (node === undefined || this.#safeId === undefined || !this.isIdle) {
        return;
      }
      const fields = entryFields(this.#options.run, 0, this.#safeId);
      // If it is lost, the readers write markers themselves.
      node.send(this.#command(fields), COMMAND_TIMEOUT_MS).catch(() => {
        if (this.#node === node && this.isIdle) this.#drop();
      });
    }, MARKER_DELAY_MS);
  }
}
