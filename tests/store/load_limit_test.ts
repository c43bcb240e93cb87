/** A stored map that does not fit in memory. */
import assert from "node:assert/strict";
import { mapBytes, OccupancyMap } from "../../src/grid/mod.ts";
import { applyEntry, StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { execSql, readingsEntry, storeOpener } from "./support.ts";

const NOW = 1_700_000_000_000;
const MIB = 1024 * 1024;

/** Stores scattered cells. */
async function storeCells(path: string, cells: number, isClosed: boolean) {
  const open = await storeOpener({ path, durability: "commit" });
  const { store, map } = open();
  for (let from = 0; from < cells; from += 20_000) {
    const entry = readingsEntry(
      NOW,
      Array.from(
        { length: 20_000 },
        (_, i) => [(from + i) % 500 * 32, Math.floor((from + i) / 500) * 32, 1],
      ),
    );
    store.commit([entry]);
    applyEntry(map, entry);
    store.applied(map);
  }
  store.close(isClosed ? map : undefined);
  return mapBytes(map);
}

async function loadError(path: string, maxBytes: number): Promise<string> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  const store = new SqliteStore({ path });
  try {
    store.load(new OccupancyMap(), { maxBytes, memoryBytes: 512 * MIB });
    return "";
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    assert.match(error.hint!, /more memory.*--max-cells/);
    return error.message;
  } finally {
    store.close();
  }
}

Deno.test({
  name:
    "a stored map that does not fit: the error has its size, nothing is lost",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.db`;
    const bytes = await storeCells(path, 100_000, true);
    assert.match(
      await loadError(path, bytes / 2),
      /^Cannot load sqlite:.*map\.db: its 100000 cells need (2|3)\d\d MiB of memory, the server has 512 MiB$/,
    );
    assert.equal(await loadError(path, bytes), "");
    // A file of an earlier version does not name the size of its map.
    await execSql(path, "DELETE FROM meta WHERE key IN ('cells', 'mapBytes')");
    assert.match(
      await loadError(path, bytes / 2),
      /: its about (9|10)\d{4} cells need (2|3)\d\d MiB/,
    );
    assert.equal(await loadError(path, bytes), "");
  },
});

Deno.test({
  name: "a journal whose cells do not fit: the start ends while it is replayed",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const path = `${dir.path}/map.db`;
    const bytes = await storeCells(path, 200_000, false);
    assert.match(
      await loadError(path, bytes / 2),
      /: its more than 1\d{5} cells need (2|3)\d\d MiB/,
    );
    assert.equal(await loadError(path, bytes), "");
  },
});
