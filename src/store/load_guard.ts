/**
 * Ends the loading of a map that does not fit in memory, before the process is
 * killed and started again for ever.
 *
 * @module
 */
import { mapBytes, neededMemory, type OccupancyMap } from "../grid/mod.ts";
import type { StoredMeta } from "./checkpoint_meta.ts";
import { type LoadLimit, StoreError } from "./store.ts";

/** Counting the memory of a map costs more than loading a few bytes. */
const CHECK_INTERVAL_BYTES = 256 * 1024;

/** Checks the size of a map while it is loaded. */
export class LoadGuard {
  readonly #description: string;
  readonly #map: OccupancyMap;
  readonly #limit: LoadLimit | undefined;
  #loadedBytes = 0;
  #checkedBytes = 0;

  /**
   * @param description the address of the store
   * @param map receives the stored cells
   * @param limit undefined: none
   */
  constructor(
    description: string,
    map: OccupancyMap,
    limit: LoadLimit | undefined,
  ) {
    this.#description = description;
    this.#map = map;
    this.#limit = limit;
  }

  /**
   * Checks the size at the last checkpoint.
   *
   * @param meta the rows of `meta`; files of earlier versions have no size
   * @throws {StoreError} if a map of this size does not fit
   */
  checkMeta(meta: StoredMeta): void {
    const bytes = meta.mapBytes ?? 0;
    if (this.#limit === undefined || bytes <= this.#limit.maxBytes) return;
    const cells = `${meta.cells}`;
    throw tooLargeError(this.#description, this.#limit, cells, bytes);
  }

  /**
   * Checks the map after a part of it was loaded.
   *
   * @param partBytes size of the part in the file
   * @param totalBytes returns the size of all parts in the file
   * @throws {StoreError} if the map does not fit
   */
  loaded(partBytes: number, totalBytes: () => number): void {
    this.#loadedBytes += partBytes;
    if (
      this.#limit === undefined ||
      this.#loadedBytes - this.#checkedBytes < CHECK_INTERVAL_BYTES
    ) return;
    this.#checkedBytes = this.#loadedBytes;
    const bytes = mapBytes(this.#map);
    if (bytes <= this.#limit.maxBytes) return;
    const factor = Math.max(1, totalBytes() / this.#loadedBytes);
    throw tooLargeError(
      this.#description,
      this.#limit,
      `${factor > 1 ? "about" : "more than"} ${
        Math.round(this.#map.size * factor)
      }`,
      bytes * factor,
    );
  }
}

function tooLargeError(
  description: string,
  { memoryBytes }: LoadLimit,
  cells: string,
  mapBytes: number,
): StoreError {
  const needed = Math.ceil(neededMemory(mapBytes) / 2 ** 20);
  const present = Math.floor(memoryBytes / 2 ** 20);
  return new StoreError(
    `Cannot load ${description}: its ${cells} cells need ${needed} MiB of memory, the server has ${present} MiB`,
    {
      hint:
        "The stored map was not changed. Start the server with more memory; to need less later, delete layers then, and limit new cells with --max-cells. Or use another store with --store.",
    },
  );
}
