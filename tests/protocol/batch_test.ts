import assert from "node:assert/strict";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import { batchOf, pure, rowsOf } from "./support.ts";

pure("ReadingBatch keeps its readings when it grows", () => {
  const batch = new ReadingBatch(0);
  for (let i = 0; i < 1000; i++) {
    batch.push(i, -i, i % 3, i * 1e6, batch.source(i % 2 ? "odd" : ""));
  }
  assert.equal(batch.length, 1000);
  assert.deepEqual(rowsOf(batch)[999], [999, -999, 0, 999e6, "odd"]);
  assert.deepEqual(rowsOf(batch)[2], [2, -2, 2, 2e6]);
});

pure("clear() keeps the columns and removes the sources", () => {
  const batch = batchOf([[1, 2, 3, 4, "a"]]);
  const { x, time } = batch;
  batch.clear();
  assert.equal(batch.length, 0);
  assert.deepEqual(batch.sources, [""]);
  assert.equal(batch.source("b"), 1);
  batch.push(5, 6, 7);
  assert.equal(batch.x, x);
  assert.equal(batch.time, time);
  assert.deepEqual(rowsOf(batch), [[5, 6, 7]]);
});

pure("source() returns one index for each of more than 65,536 names", () => {
  const batch = new ReadingBatch();
  for (let i = 1; i <= 70_000; i++) {
    assert.equal(batch.source(`source ${i}`), i);
    batch.push(i, 0, 1, NaN, i);
  }
  assert.equal(batch.source("source 7"), 7);
  assert.equal(batch.source(""), 0);
  assert.equal(batch.sources[batch.sourceIndex[69_999]!], "source 70000");
});

pure("truncate() removes the last readings and sources", () => {
  const batch = batchOf([[1, 2, 3, 4, "a"], [5, 6, 7, 8, "b"]]);
  batch.truncate(1, 2);
  assert.deepEqual(rowsOf(batch), [[1, 2, 3, 4, "a"]]);
  assert.equal(batch.source("c"), 2);
});

pure("append() copies the sources", () => {
  const batch = batchOf([[1, 1, 1, 1, "a"], [2, 2, 2, 2, "b"]]);
  const other = batchOf([[3, 3, 3, 3, "b"], [4, 4, 4], [5, 5, 5, 5, "c"]]);
  const all = [...rowsOf(batch), ...rowsOf(other)];
  batch.append(other);
  assert.deepEqual(rowsOf(batch), all);
  assert.deepEqual(batch.sources, ["", "a", "b", "c"]);
});
