/**
 * What the works share that care for the history of a map: they read the tables,
 * pause, and commit what they have made.
 *
 * @module
 */
import type { Soon } from "../../common/async.ts";
import type { WaitingWork } from "../../common/turns.ts";
import type { Region } from "../../grid/mod.ts";
import type { HistoryRemoval, HistoryTables } from "../../store/store.ts";
import type { Write } from "./flush.ts";
import type { HistoryWrites } from "./history_writes.ts";
import type { Pace } from "./pace.ts";
import { DELETED_TO } from "./parts.ts";
import { type TileAddress, TileReader } from "./tile_reader.ts";

const TILES_PER_PAGE = 256;

/** Layers were deleted: what was read before may not be written any more. */
export class LayersDeletedError extends Error {
  override name = "LayersDeletedError";

  constructor() {
    super("Layers were deleted while their history was read");
  }
}

/** Reads, pauses and commits, for one work after the other. */
export class Care {
  readonly tables: HistoryTables;
  readonly reader: TileReader;
  readonly #writes: Pick<HistoryWrites, "commit" | "term">;
  readonly #pace: Pace;
  /** What was deleted when the work began to read. */
  #deletions = "";
  /** That of the writes when the work began to read. */
  #term = 0;

  constructor(
    tables: HistoryTables,
    writes: Pick<HistoryWrites, "commit" | "term">,
    pace: Pace,
  ) {
    this.tables = tables;
    this.reader = new TileReader(tables);
    this.#writes = writes;
    this.#pace = pace;
  }

  /** Begins to read: nothing that was read before is used any more. */
  begin(): void {
    this.#deletions = deletionsOf(this.tables);
    this.#term = this.#writes.term;
  }

  /** Call it between two steps, and wait for the result if there is one. */
  pause(): Promise<void> | undefined {
    return this.#pace.pause();
  }

  /**
   * Waits for what the tables answer. That is not time of the work.
   *
   * @param answer what one of their reads has returned
   */
  read<T>(answer: Soon<T>): Soon<T> {
    return answer instanceof Promise ? this.#pace.wait(answer) : answer;
  }

  /** Does work, and pauses where it does. */
  async run<T>(work: WaitingWork<T>): Promise<T> {
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      await this.step(value);
    }
  }

  /** Call it after a step of a work, with what it has yielded. */
  step(pause: void | Promise<void>): Soon<void> {
    return pause === undefined ? this.pause() : this.read(pause);
  }

  /**
   * Commits what was made of what was read.
   *
   * @param writes may be repeated, and a transaction may have only some
   * @returns resolves when all are durable
   * @throws {LayersDeletedError} if a layer was deleted since
   * {@linkcode Care.begin}; then perhaps not all was written
   */
  async commit(writes: readonly Write[]): Promise<void> {
    const deletions = this.#deletions;
    const isCurrent = () => deletionsOf(this.tables) === deletions;
    const guarded = writes.map((write): Write => (tables) => {
      // Else rows of a deleted layer would be there again.
      if (isCurrent()) write(tables);
    });
    await this.#pace.wait(this.#writes.commit(guarded, this.#term));
    if (!isCurrent()) throw new LayersDeletedError();
  }

  /**
   * Deletes in steps, each in a transaction.
   *
   * @param step deletes some rows
   */
  async repeat(
    step: (tables: HistoryTables) => HistoryRemoval,
  ): Promise<void> {
    let removal = undefined as HistoryRemoval | undefined;
    const write: Write = (tables) => {
      removal = step(tables);
    };
    do {
      await this.#pace.wait(this.#writes.commit([write]));
      await this.pause();
    } while (!removal!.done); // known after the commit
  }
}

/** Changes when a layer is deleted. */
export function deletionsOf({ meta }: Pick<HistoryTables, "meta">): string {
  let deletions = "";
  for (const [key, value] of meta) {
    if (key.startsWith(DELETED_TO)) deletions += `${key} ${value} `;
  }
  return deletions;
}

/**
 * Lists the tiles of a layer, and pauses.
 *
 * @param region in cells. Default: the whole layer
 */
export async function* allTiles(
  care: Care,
  layer: string,
  region?: Region,
): AsyncGenerator<TileAddress, void, void> {
  let after: Pick<TileAddress, "tx" | "ty"> | undefined;
  do {
    const page = await care.read(
      care.tables.tilesOf(layer, region, TILES_PER_PAGE, after),
    );
    for (const { tx, ty } of page) {
      yield { layer, tx, ty };
      await care.pause();
    }
    after = page.at(-1);
  } while (after !== undefined);
}
