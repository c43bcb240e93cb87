/** Checkpoints in small steps, with a store that may be lost at each of them. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import {
  restoreMeta,
  type StoredMeta,
} from "../../src/store/checkpoint_meta.ts";
import type {
  CheckpointTarget,
  StoredChunk,
} from "../../src/store/checkpoint_target.ts";
import { Checkpointer } from "../../src/store/checkpointer.ts";
import { applyEntry, type Entry } from "../../src/store/store.ts";
import { randomIntegers } from "../support/random.ts";
import { assertSameMap, readingsEntry } from "./support.ts";

const T0 = 1_700_000_000_000;
const LAYERS = ["a", "b", "c"];
/** One chunk in a step. */
const SMALL_STEP = { writtenBytes: 1, deletedChunks: 2, movedTiles: 1 };

/** What a store keeps, in memory. Positions are numbers of entries. */
class MemoryTarget implements CheckpointTarget<number> {
  readonly chunks = new Map<number, StoredChunk>();
  meta: StoredMeta = {};
  position = 0;
  #staged: (() => void)[] = [];

  insertChunk(chunk: StoredChunk): void {
    const copy = { ...chunk, bytes: chunk.bytes.slice() };
    this.#staged.push(() => this.chunks.set(chunk.id, copy));
  }

  deleteChunk(id: number): void {
    this.#staged.push(() => this.chunks.delete(id));
  }

  writeMeta(meta: StoredMeta, position: number): void {
    this.#staged.push(() => {
      this.meta = meta;
      this.position = position;
    });
  }

  deleteJournal(_from: number, to: number): number {
    return to;
  }

  commit(): void {
    for (const write of this.#staged.splice(0)) write();
  }

  rollBack(): void {
    this.#staged = [];
  }
}

/** Restores the map and a checkpointer, as a start does. */
function load(target: MemoryTarget, journal: readonly Entry[]) {
  const map = new OccupancyMap();
  const checkpointer = new Checkpointer(target, 0);
  const { position, meta } = target;
  if (position > 0) {
    restoreMeta(map.only, meta);
    const lastChunk = meta.chunk!;
    const ids = [...target.chunks.keys()].sort((a, b) => b - a);
    for (const id of ids) {
      if (id > lastChunk) continue;
      checkpointer.restoreChunk(map.only, target.chunks.get(id)!);
    }
    const incomplete = ids.filter((id) => id > lastChunk);
    const deletedTo = position;
    const loaded = { position, deletedTo, lastChunk, incomplete };
    checkpointer.loaded(map.only, loaded);
  }
  for (const entry of journal.slice(position)) applyEntry(map, entry);
  return { map, checkpointer };
}

Deno.test({
  name:
    "changes between the steps of checkpoints are stored, whatever is lost then",
  permissions: "none",
  fn() {
    for (let seed = 1; seed <= 4; seed++) {
      const random = randomIntegers(seed);
      const target = new MemoryTarget();
      const journal: Entry[] = [];
      let { map, checkpointer } = load(target, journal);
      let updates = 0;
      const change = (i: number) => {
        const layer = LAYERS[random(LAYERS.length)]!;
        const rows = Array.from(
          { length: random(700) },
          () => [32 * random(3000), random(2), random(3) - 1] as const,
        );
        const entry: Entry = random(40) === 0
          ? { kind: "delete", now: T0 + i, layer }
          : random(12) === 0
          ? { kind: "age", now: T0 + i }
          : readingsEntry(T0 + i, rows, layer);
        journal.push(entry);
        applyEntry(map, entry);
      };
      const step = () => {
        const wasRunning = checkpointer.running;
        checkpointer.step(1, SMALL_STEP);
        if (random(60) === 0) {
          target.rollBack();
          checkpointer.stepFailed();
          return;
        }
        target.commit();
        const isComplete = checkpointer.stepCommitted();
        if (wasRunning && !isComplete && checkpointer.running) updates++;
      };
      for (let i = 0; i < 700; i++) {
        if (random(3) === 0) change(i);
        if (checkpointer.hasWork) step();
        // Also while the index is updated: then it is completed first.
        const canBegin = !checkpointer.running ||
          (target.position > 0 && isUpdating(checkpointer) && random(9) === 0);
        if (canBegin && random(4) === 0) {
          checkpointer.begin(map.only, { position: journal.length });
        }
        const isLost = random(50) === 0;
        if (!isLost && random(50) !== 0) continue;
        const again = load(target, journal);
        assertSameMap(again.map, map);
        if (isLost) ({ map, checkpointer } = again);
      }
      assert.ok(updates > 20, `${updates} steps within a checkpoint`);
      while (checkpointer.hasWork) step();
      checkpointer.begin(map.only, { position: journal.length });
      while (checkpointer.hasWork) {
        checkpointer.step(1, SMALL_STEP);
        target.commit();
        checkpointer.stepCommitted();
      }
      assert.equal(target.position, journal.length);
      assertSameMap(load(target, journal).map, map);
      const ids = (all: Iterable<number>) => [...all].sort((a, b) => a - b);
      assert.deepEqual(
        ids(target.chunks.keys()),
        ids(checkpointer.chunkIds()),
        "the target has the chunks that the checkpoint needs, and no others",
      );
    }
  },
});

/** True if the checkpoint is complete, and the index is not updated yet. */
function isUpdating(checkpointer: Checkpointer<number>): boolean {
  return checkpointer.updateIndex(0);
}

Deno.test({
  name: "the chunks of a checkpoint are known before the index is updated",
  permissions: "none",
  fn() {
    const target = new MemoryTarget();
    const { map, checkpointer } = load(target, []);
    const rows = Array.from(
      { length: 3000 },
      (_, i) => [32 * i, 0, 1] as const,
    );
    for (let times = 1; times <= 2; times++) {
      applyEntry(map, readingsEntry(T0 + times, rows));
      checkpointer.begin(map.only, { position: times });
      let isComplete = false;
      while (!isComplete) {
        checkpointer.step(1, SMALL_STEP);
        target.commit();
        isComplete = checkpointer.stepCommitted();
      }
      const known = new Set(checkpointer.chunkIds());
      for (const id of target.chunks.keys()) assert.ok(known.has(id), `${id}`);
      assert.ok(isUpdating(checkpointer));
      checkpointer.stepFailed(); // for example, Redis could not be reached
      while (checkpointer.updateIndex(1));
    }
    while (checkpointer.hasWork) {
      checkpointer.step(1, SMALL_STEP);
      target.commit();
      checkpointer.stepCommitted();
    }
    assert.deepEqual(new Set(checkpointer.chunkIds()), keysOf(target));
  },
});

Deno.test({
  name: "the index is updated long before the next checkpoint is due",
  permissions: "none",
  fn() {
    const target = new MemoryTarget();
    const journal: Entry[] = [];
    const { map, checkpointer } = load(target, journal);
    /** The part of a checkpoint that one step is for. */
    const share = 1 / 32;
    const steps = (checkpointer: Checkpointer<number>) => {
      let updates = 0;
      while (checkpointer.running) {
        if (isUpdating(checkpointer)) updates++;
        checkpointer.step(share);
        target.commit();
        checkpointer.stepCommitted();
      }
      return updates;
    };
    const tiles = 40_000;
    for (let times = 1; times <= 3; times++) {
      // The first checkpoint has all tiles; the others half of each chunk.
      const rows = Array.from({ length: tiles }, (_, i) => i)
        .filter((i) => times === 1 || (i + times) % 9 < 5)
        .map((i) => [32 * i, 0, times] as const);
      const entry = readingsEntry(T0 + times, rows);
      journal.push(entry);
      applyEntry(map, entry);
      checkpointer.begin(map.only, { position: times });
      assert.ok(steps(checkpointer) <= 1 / share / 2);
    }
    // After a start, only tiles are marked that are in chunks with garbage.
    assert.ok(steps(load(target, journal).checkpointer) <= 1 / share / 2);
  },
});

function keysOf(target: MemoryTarget): Set<number> {
  return new Set(target.chunks.keys());
}
