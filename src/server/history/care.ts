/**
 * What the works share that care for the history of a map: they read the tables,
 * pause, and commit what they have made.
 *
 * @module
 */
import type { Region } from "../../grid/mod.ts";
import type { HistoryTables } from "../../store/store.ts";
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
  readonly #writes: Pick<HistoryWrites, "commit">;
  readonly #pace: Pace;
  /** What was deleted when the work began to read. */
  #deletions = "";

  constructor(
    tables: HistoryTables,
    writes: Pick<HistoryWrites, "commit">,
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
    this.reader.refresh();
  }

  /** Call it between two steps, and wait for the result if there is one. */
  pause(): Promise<void> | undefined {
    return this.#pace.pause();
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
    await this.#pace.wait(this.#writes.commit(guarded));
    if (!isCurrent()) throw new LayersDeletedError();
  }

  /**
   * Deletes in steps, each in a transaction.
   *
   * @param step returns true when all is deleted
   */
  async repeat(step: (tables: HistoryTables) => boolean): Promise<void> {
    for (let isDone = false; !isDone;) {
      const write: Write = (tables) => {
        isDone = step(tables);
      };
      await this.#pace.wait(this.#writes.commit([write]));
      await this.pause();
    }
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
    const page = care.tables.tilesOf(layer, region, TILES_PER_PAGE, after);
    for (const { tx, ty } of page) {
      yield { layer, tx, ty };
      await care.pause();
    }
    after = page.at(-1);
  } while (after !== undefined);
}
