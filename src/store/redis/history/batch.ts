/**
 * Collects what a transaction changes in the history, by shard.
 *
 * @module
 */

/** A part of an operation of the script `WRITE`. */
export type Argument = string | Uint8Array;

/** Larger scripts would delay the other clients of Redis. */
const MAX_SCRIPT_BYTES = 128 * 1024;
const MAX_SCRIPT_OPERATIONS = 256;

/** Receives a result of a removal: number of rows, and whether it is complete. */
export type Receive = (rows: number, isDone: boolean) => void;

/** Operations that are one call of the script. */
export interface Script {
  readonly arguments: readonly Argument[];
  /** Of its removals, in their order. */
  readonly results: readonly Receive[];
}

interface OpenScript extends Script {
  readonly arguments: Argument[];
  readonly results: Receive[];
  bytes: number;
  operations: number;
}

/** The operations of one transaction. */
export class HistoryBatch {
  readonly #shards = new Map<number, OpenScript[]>();
  /** Written when all others are. */
  readonly #last: OpenScript[] = [];

  /** Adds an operation. @param receive of a removal: receives its result */
  add(
    shard: number,
    operation: readonly Argument[],
    receive?: Receive,
  ): void {
    let scripts = this.#shards.get(shard);
    if (scripts === undefined) this.#shards.set(shard, scripts = []);
    append(scripts, operation, receive);
  }

  /** Adds an operation of shard 0 that follows when all others are durable. */
  addLast(operation: readonly Argument[]): void {
    append(this.#last, operation);
  }

  /** The scripts by shard, each after the one before. */
  get scripts(): Iterable<
    readonly [shard: number, scripts: readonly Script[]]
  > {
    return this.#shards;
  }

  /** The scripts of shard 0 after all others. */
  get last(): readonly Script[] {
    return this.#last;
  }
}

function append(
  scripts: OpenScript[],
  operation: readonly Argument[],
  receive?: Receive,
): void {
  let script = scripts.at(-1);
  if (
    script === undefined || script.bytes >= MAX_SCRIPT_BYTES ||
    script.operations >= MAX_SCRIPT_OPERATIONS || receive !== undefined
  ) {
    script = { arguments: [], results: [], bytes: 0, operations: 0 };
    scripts.push(script);
  }
  script.arguments.push(...operation);
  script.operations++;
  for (const { length } of operation) script.bytes += length;
  if (receive !== undefined) script.results.push(receive);
}
