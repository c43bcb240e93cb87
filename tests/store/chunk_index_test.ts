import assert from "node:assert/strict";
import { ChunkIndex } from "../../src/store/chunk_index.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

const chunk = (id: number, tiles: number, layer = "default") => ({
  id,
  layer,
  tiles,
  bytes: 10 * tiles,
});

function drop(index: ChunkIndex, layers: readonly string[]) {
  for (const checked of index.drop(new Set(layers))) assert.ok(checked <= 1024);
}

test("takeDeletable() returns a chunk once, when newer chunks hold all its tiles", () => {
  const index = new ChunkIndex();
  index.add(chunk(1, 2), [0, 1]);
  index.add(chunk(2, 2), [2, 500]);
  index.add(chunk(3, 2), [1, 2]);
  assert.deepEqual(index.takeDeletable(), []);
  index.add(chunk(4, 1), [0]);
  assert.deepEqual(index.takeDeletable(), [1]);
  assert.deepEqual(index.takeDeletable(), []);
  index.add(chunk(5, 3), [500, 1, 2]);
  assert.deepEqual(index.takeDeletable(), [2, 3]);
});

test("takeDeletable() returns a chunk without current tiles", () => {
  const index = new ChunkIndex();
  index.add(chunk(8, 3), []);
  assert.deepEqual(index.takeDeletable(), [8]);
});

test("add() separates tiles with the same number in different layers", () => {
  const index = new ChunkIndex();
  index.add(chunk(1, 1), [0]);
  index.add(chunk(2, 1, "b"), [0]);
  assert.deepEqual(index.takeDeletable(), []);
});

test("tilesToMove() returns the tiles of chunks that are more than half garbage", () => {
  const index = new ChunkIndex();
  index.add(chunk(1, 4), [0, 1, 2, 3]);
  index.add(chunk(2, 4), [4, 5, 6, 7]);
  assert.equal(index.liveBytes, 80);
  index.add(chunk(3, 5), [0, 1, 2, 4, 5]);
  assert.equal(index.liveBytes, 80);
  assert.deepEqual([...index.tilesToMove("default")], [3]);
  assert.deepEqual([...index.tilesToMove("other")], []);
  assert.equal(index.isMostlyGarbage, false);
  for (let id = 4; id < 8; id++) index.add(chunk(id, 2), [0, 4]);
  index.add(chunk(8, 3), [1, 2, 5]);
  assert.deepEqual(index.takeDeletable(), [4, 5, 6, 3]);
});

test("drop() makes all chunks of some layers deletable, and no others", () => {
  const index = new ChunkIndex();
  index.add(chunk(1, 2), [0, 1]);
  index.add(chunk(2, 4, "b"), [0, 1, 2, 3]);
  index.add(chunk(3, 2), [1, 2]);
  index.add(chunk(4, 1, "b"), [0]);
  drop(index, ["b"]);
  assert.deepEqual(index.takeDeletable(), [2, 4]);
  assert.equal(index.liveBytes, 30);
  index.add(chunk(5, 3, "b"), [0, 1, 2]);
  assert.deepEqual(index.takeDeletable(), []);
  assert.deepEqual([...index.tilesToMove("b")], []);
  drop(index, ["none"]);
  assert.deepEqual(index.takeDeletable(), []);
});

test("drop() reads the chunks once, however many layers were deleted", () => {
  const index = new ChunkIndex();
  const layers = Array.from({ length: 50_000 }, (_, i) => `l${i}`);
  for (const [i, layer] of layers.entries()) {
    index.add({ id: i + 1, layer, bytes: 100, tiles: 1 }, [0]);
  }
  drop(index, layers); // layer by layer it would take half a minute
  assert.equal(index.takeDeletable().length, layers.length);
  assert.equal(index.liveBytes, 0);
});
