/** What a damaged write-ahead log is told apart from. */
import assert from "node:assert/strict";
import { countLostTransactions } from "../../src/store/wal_check.ts";
import { needs } from "../support/needs.ts";
import { randomIntegers } from "../support/random.ts";
import { tempDir } from "../support/temp.ts";
import { commitAndApply, readingsEntry, storeOpener } from "./support.ts";

const HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;
const COMMITS = 40;

/** A copy of a store that was not closed: its database and its log. */
async function killedStore(folder: string) {
  const open = await storeOpener({ path: `${folder}/live.sqlite` });
  const { store, map } = open();
  for (let i = 0; i < COMMITS; i++) {
    commitAndApply(store, map, readingsEntry(i, [[i, 0, i]]));
  }
  const database = await Deno.readFile(`${folder}/live.sqlite`);
  const log = await Deno.readFile(`${folder}/live.sqlite-wal`);
  store.close();
  const path = `${folder}/map.sqlite`;
  return {
    log,
    /** Writes the files; returns the count, the warnings and the cells. */
    openWith: (changed: Uint8Array) => {
      Deno.writeFileSync(path, database);
      Deno.writeFileSync(`${path}-wal`, changed);
      const lost = countLostTransactions(`${path}-wal`);
      const warnings: string[] = [];
      const { store, map } = open({
        path,
        onWarning: (line) => warnings.push(line),
      });
      const { size } = map;
      store.close();
      return { lost, warnings, size };
    },
  };
}

Deno.test({
  name: "countLostTransactions() counts what is behind a flipped bit",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const { log, openWith } = await killedStore(folder.path);
    const intact = openWith(log);
    assert.deepEqual(intact, { lost: 0, warnings: [], size: COMMITS });
    const frames = (log.length - HEADER_BYTES) / FRAME_BYTES;
    const random = randomIntegers(7);
    for (let i = 0; i < 30; i++) {
      const changed = log.slice();
      // Not in a page number or salt of the last frame: no trace of it is left.
      const at = HEADER_BYTES + random(frames - 1) *
          FRAME_BYTES +
        random(FRAME_BYTES);
      changed[at]! ^= 1 << random(8);
      const { lost, warnings, size } = openWith(changed);
      assert.ok(size < COMMITS && lost > 0, `byte ${at}: ${size}, ${lost}`);
      assert.ok(lost >= COMMITS - size, `byte ${at}: ${size}, ${lost}`);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /map\.sqlite-wal is damaged: the last /);
    }
    const last = log.slice();
    last[last.length - 9]! ^= 1;
    assert.deepEqual(openWith(last).lost, 1, "the last page, complete");
  },
});

Deno.test({
  name: "countLostTransactions() takes a damaged header for a damaged log",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const { log } = await killedStore(folder.path);
    const path = `${folder.path}/log`;
    for (let at = 0; at < HEADER_BYTES; at++) {
      const changed = log.slice();
      changed[at]! ^= 1;
      await Deno.writeFile(path, changed);
      assert.ok(countLostTransactions(path) > 0, `byte ${at}`);
    }
  },
});

Deno.test({
  name: "countLostTransactions() accepts a log that was cut at any byte",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const { log } = await killedStore(folder.path);
    const path = `${folder.path}/log`;
    const random = randomIntegers(8);
    for (let i = 0; i < 100; i++) {
      const length = random(log.length);
      await Deno.writeFile(path, log.subarray(0, length));
      assert.equal(countLostTransactions(path), 0, `${length} bytes`);
    }
    assert.equal(countLostTransactions(`${folder.path}/none`), 0);
  },
});

Deno.test({
  name:
    "countLostTransactions() accepts an incomplete frame over an older log's",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const { log, openWith } = await killedStore(folder.path);
    // The log began again in the same file: frames of other salts follow.
    const changed = log.slice();
    const frames = (log.length - HEADER_BYTES) / FRAME_BYTES;
    const half = Math.floor(frames / 2);
    for (let frame = half; frame < frames; frame++) {
      const at = HEADER_BYTES + frame * FRAME_BYTES;
      if (frame === half) changed.fill(0, at + 24, at + FRAME_BYTES);
      else changed[at + 8]! ^= 1;
    }
    const { lost, size } = openWith(changed);
    assert.equal(lost, 0);
    assert.ok(size > 0 && size < COMMITS);
  },
});
