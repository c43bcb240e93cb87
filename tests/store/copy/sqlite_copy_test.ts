/** Copies of a store from one SQLite file to another. */
import assert from "node:assert/strict";
import type { OccupancyMap } from "../../../src/grid/mod.ts";
import { copyStore } from "../../../src/store/copy/copy.ts";
import { StoreError } from "../../../src/store/store.ts";
import { needs } from "../../support/needs.ts";
import { type TempDir, tempDir } from "../../support/temp.ts";
import {
  assertSameMap,
  commitAndApply,
  execSql,
  readingsEntry,
} from "../support.ts";
import {
  copy,
  fill,
  fillHistory,
  HISTORY_HOUR,
  open,
  OWNERS,
  T0,
} from "./support.ts";

async function namesIn(dir: TempDir): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(dir.path));
  return names.map(({ name }) => name).sort();
}

Deno.test({
  name: "a copy has the cells, revisions, thresholds, times and records",
  ...needs(),
  fn: async () => {
    for (const end of ["clean", "killed"] as const) {
      await using dir = await tempDir();
      const [from, to] = [`${dir.path}/map.db`, `${dir.path}/copy.db`];
      await fill(from, end);
      const before = await Deno.readFile(from);
      const names = await namesIn(dir);
      assert.equal(names.length, end === "clean" ? 1 : 2);
      const result = await copy(from, to);
      assert.deepEqual(result, { cells: 5, layers: 3, records: 11 });
      assert.deepEqual(await Deno.readFile(from), before);
      assert.deepEqual(await namesIn(dir), [...names, "copy.db"].sort());
      assert.equal((await Deno.stat(to)).mode! & 0o777, 0o600);
      const original = await open(from);
      const copied = await open(to);
      // Only the identities of the layers differ: clients get all cells again.
      assert.equal(copied.map.revision, original.map.revision);
      assert.deepEqual(copied.map.ageing, original.map.ageing);
      assert.equal(copied.store.lastAlive, T0 + 3000);
      const began = copied.map.only.began!;
      assert.ok(began > original.map.only.began!);
      for (const [layer, grid] of original.map.layers()) {
        assert.equal(copied.map.beganOf(layer), began);
        const cellsOf = (map: OccupancyMap) => {
          const cells: unknown[] = [];
          map.layer(layer)!.scan((...cell) => cells.push(cell));
          return cells.map((cell) => JSON.stringify(cell)).sort();
        };
        assert.deepEqual(cellsOf(copied.map), cellsOf(original.map));
        assert.equal(
          copied.map.layer(layer)!.revision,
          grid.revision,
        );
      }
      for (const owner of OWNERS) {
        assert.deepEqual(
          [...copied.store.records.load(owner)],
          [...original.store.records.load(owner)],
        );
      }
      original.store.close();
      // The copy is used as any store.
      commitAndApply(copied.store, copied.map, readingsEntry(T0, [[1, 1, 1]]));
      copied.store.close(copied.map);
      const again = await open(to);
      assertSameMap(again.map, copied.map);
      again.store.close();
    }
  },
});

Deno.test({
  name: "a copy has the history, and a damaged row of it stays one",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const [from, to] = [`${dir.path}/map.db`, `${dir.path}/copy.db`];
    await fillHistory(from);
    await execSql(
      from,
      "UPDATE history_part SET bytes = x'00' WHERE id = (SELECT max(id) FROM history_part)",
    );
    const result = await copy(from, to);
    assert.ok(result.history! > 2400, `${result.history} rows`);
    const [original, copied] = [await open(from), await open(to)];
    const contents = async ({ store: { history } }: typeof original) => ({
      size: history.size(),
      meta: [...history.meta],
      gaps: history.gaps({ from: 0, to: 999 }),
      zones: history.zones(),
      layers: history.layers(),
      open: history.openHours(),
      tiles: (await history.tilesOf("hall", undefined, 9999)).map((
        { tx, ty },
      ) => [
        history.hourRows("hall", tx, ty, HISTORY_HOUR),
        history.frameBefore("hall", tx, ty, HISTORY_HOUR),
      ]),
    });
    const expected = await contents(original);
    assert.deepEqual(await contents(copied), expected);
    const damaged = expected.tiles.filter(([parts]) =>
      Array.isArray(parts) && parts.some(({ bytes }) => bytes === undefined)
    );
    assert.equal(damaged.length, 1);
    original.store.close();
    copied.store.close();
  },
});

Deno.test({
  name: "a store with a map is kept, unless --force; then under another name",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const [from, to] = [`${dir.path}/map.db`, `${dir.path}/copy.db`];
    await fill(from, "clean");
    await fill(to, "killed");
    const before = await Deno.readFile(to);
    const log = await Deno.readFile(`${to}-wal`);
    await assert.rejects(copy(from, to), {
      name: "StoreError",
      message: `Cannot write ${to}: it has a map of 5 cells`,
    });
    assert.deepEqual(await Deno.readFile(to), before);
    assert.deepEqual(await Deno.readFile(`${to}-wal`), log);
    const { replaced } = await copy(from, to, { force: true });
    const kept = /^The file before is now (.*)$/.exec(replaced!)![1]!;
    const old = await open(kept);
    assert.equal(old.map.size, 5);
    old.store.close();
    const copied = await open(to);
    assert.ok(copied.map.only.began! > T0 + 2);
    copied.store.close();
    // An empty file has nothing to lose.
    await Deno.writeFile(`${dir.path}/empty.db`, new Uint8Array());
    await copy(from, `${dir.path}/empty.db`);
  },
});

Deno.test({
  name: "nothing is left of a copy that fails, and the message says why",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const from = `${dir.path}/map.db`;
    await fill(from, "clean");
    const names = await namesIn(dir);
    const failsWith = async (
      work: Promise<unknown>,
      message: RegExp,
      hint: RegExp,
    ) => {
      await assert.rejects(work, (error) => {
        assert.ok(error instanceof StoreError, String(error));
        assert.match(error.message, message);
        assert.match(error.hint ?? "", hint);
        assert.doesNotMatch(`${error.message} ${error.hint}`, /occupancy-copy/);
        return true;
      });
    };
    const to = `${dir.path}/copy.db`;
    await failsWith(
      copy(`${dir.path}/none.db`, to),
      /none\.db: there is no such file$/,
      /Check the path/,
    );
    await failsWith(copy(from, from), /to itself$/, /FROM TO/);
    await failsWith(copy(from, dir.path), /it is a directory$/, /new file/);
    await failsWith(copy(dir.path, to), /it is a directory$/, /Name the file/);
    await failsWith(
      copyStore("memory:", `sqlite:${to}`, {
        ...{ force: false, limit: { maxBytes: 1, memoryBytes: 1 } },
        ...{ onWarning() {}, signal: new AbortController().signal },
      }),
      /Cannot copy memory/,
      /sqlite:/,
    );
    await failsWith(
      copy(from, to, { limit: { maxBytes: 1, memoryBytes: 1 } }),
      /map\.db: its 5 cells need \d+ MiB of memory/,
      /Nothing was copied/,
    );
    // SQLite cannot open the new file.
    await Deno.mkdir(`${to}.new-wal/in`, { recursive: true });
    await failsWith(copy(from, to), /copy\.db\.new/, /./);
    await assert.rejects(Deno.lstat(`${to}.new`), Deno.errors.NotFound);
    await Deno.remove(`${to}.new-wal`, { recursive: true });
    const foreign = await dir.file("foreign.db", "x".repeat(4096));
    await failsWith(
      copy(foreign, to),
      /foreign\.db: it is not an occupancy store$/,
      /Nothing was copied/,
    );
    await Deno.remove(foreign);
    const running = await open(from);
    await failsWith(copy(from, to), /a running server uses it$/, /Stop the/);
    running.store.close(running.map);
    const abort = new AbortController();
    abort.abort(new StoreError("stopped", { hint: "." }));
    await failsWith(copy(from, to, { signal: abort.signal }), /stopped/, /./);
    assert.deepEqual(await namesIn(dir), names);
    await execSql(from, "UPDATE chunk SET crc32 = crc32 + 1");
    await failsWith(
      copy(from, to),
      /map\.db: the file is damaged/,
      /Restore a backup/,
    );
    await Deno.writeTextFile(`${to}.new`, "");
    await failsWith(
      copy(from, to),
      /there is a file .*copy\.db\.new$/,
      /delete/,
    );
    await Deno.remove(`${to}.new`);
    assert.deepEqual(await namesIn(dir), names);
  },
});

Deno.test({
  name: "a server that uses the target is not disturbed, also with --force",
  ...needs(),
  fn: async () => {
    await using dir = await tempDir();
    const [from, to] = [`${dir.path}/map.db`, `${dir.path}/copy.db`];
    await fill(from, "clean");
    const running = await open(to);
    await assert.rejects(copy(from, to, { force: true }), {
      message: `Cannot replace ${to}: a running server uses it`,
    });
    running.store.close();
  },
});
