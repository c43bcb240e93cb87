import assert from "node:assert/strict";
import fc from "fast-check";
import { parseReadings, ReadingBatch } from "../../src/protocol/mod.ts";
import { batchOf, pure, rowsOf, utf8 } from "./support.ts";

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

pure("remove() keeps the lines of the other readings", () => {
  const row = fc.constantFrom("1,2,3", "4,5,6,7", "", "x", '{"x":1}');
  const payload = fc.oneof(
    fc.array(row, { minLength: 1 }).map((rows) => rows.join("\n")),
    fc.array(fc.constant("[1,2,3]"), { minLength: 1 })
      .map((cells) => `{"source":"a","cells":[${cells}]}`),
  );
  const payloads = fc.array(payload, { maxLength: 4 });
  fc.assert(fc.property(payloads, fc.func(fc.boolean()), (texts, isRemoved) => {
    const batch = new ReadingBatch();
    const starts: number[] = [];
    for (const text of texts) {
      const start = batch.length;
      try {
        parseReadings(utf8(text), batch, { layer: "default" });
      } catch {
        continue; // no readings
      }
      if (batch.length > start) starts.push(start);
    }
    const all = () =>
      starts.flatMap((start, payload) => {
        const end = starts[payload + 1] ?? batch.length;
        return Array.from({ length: end - start }, (_, i) => ({
          payload,
          row: rowsOf(batch)[start + i],
          line: batch.lineOf(start + i, start),
        }));
      });
    const before = all();
    const removed = [...before.keys()].filter((i) => isRemoved(i));
    batch.remove(removed, starts);
    assert.deepEqual(all(), before.filter((_, i) => !removed.includes(i)));
  }));
});

pure("lineOf() returns the line or element of each reading", () => {
  const row = fc.constantFrom("1,2,3", "1,2,3,0", "", "x", " 1,2,3");
  const element = fc.constantFrom(
    '{"x":1,"y":2,"value":3}',
    '{"x":1,"y":2}',
    "5",
  );
  const payload = fc.oneof(
    fc.array(row, { minLength: 1 }).map((rows) => ({
      text: rows.join("\n"),
      lines: rows.flatMap((row, i) => row.includes(",") ? [i + 1] : []),
    })),
    fc.array(element, { minLength: 1 }).map((elements) => ({
      text: `[${elements}]`,
      lines: elements.flatMap((text, i) => /value/.test(text) ? [i + 1] : []),
    })),
    fc.nat(40).map((cells) => ({
      text: `{"cells":[${Array(cells).fill("[1,2,3]")}]}`,
      lines: Array.from({ length: cells }, (_, i) => i + 1),
    })),
  );
  fc.assert(fc.property(fc.array(payload), (payloads) => {
    const batch = new ReadingBatch();
    const expected: number[] = [];
    const starts: number[] = [];
    for (const { text, lines } of payloads) {
      if (text.trim() === "") continue;
      starts.push(...lines.map(() => expected.length));
      parseReadings(utf8(text), batch);
      expected.push(...lines);
    }
    const lineOf = (i: number) => batch.lineOf(i, starts[i]);
    assert.deepEqual(expected.map((_, i) => lineOf(i)), expected);
    const half = batch.length >>> 1;
    batch.truncate(half);
    parseReadings(utf8("\n1,2,3"), batch);
    assert.equal(batch.lineOf(half, half), 2);
    assert.deepEqual(
      expected.slice(0, half).map((_, i) => lineOf(i)),
      expected.slice(0, half),
    );
  }));
  const plain = batchOf([[1, 2, 3]]);
  assert.equal(plain.lineOf(0), undefined);
  // A refused last line leaves no mark for the payload after it.
  const pair = new ReadingBatch();
  parseReadings(utf8("1,2,3\n1,2,3\nx"), pair);
  parseReadings(utf8("1,2,3"), pair);
  assert.equal(pair.lineOf(2, 2), 1);
  // Each line of NDJSON has its number, whatever its form and length.
  const cells = Array(60).fill("[1,2,3]");
  const ndjson = [
    "",
    `{"cells":[${cells}]}`,
    '{"cells":[[1,2,3],[1,2],[1,2,3]]}',
    '[{"x":1,"y":2,"value":3},{"x":1,"y":2,"value":3}]',
    '{"x":1,"y":2,"value":3}',
  ].join("\n");
  const batch = new ReadingBatch();
  parseReadings(utf8(ndjson), batch, { contentType: "application/x-ndjson" });
  assert.deepEqual(
    Array.from({ length: batch.length }, (_, i) => batch.lineOf(i)),
    [...Array(60).fill(2), 3, 3, 4, 4, 5],
  );
  batch.append(plain);
  assert.equal(batch.lineOf(batch.length - 1), undefined);
});

pure("append() copies the sources", () => {
  const batch = batchOf([[1, 1, 1, 1, "a"], [2, 2, 2, 2, "b"]]);
  const other = batchOf([[3, 3, 3, 3, "b"], [4, 4, 4], [5, 5, 5, 5, "c"]]);
  const all = [...rowsOf(batch), ...rowsOf(other)];
  batch.append(other);
  assert.deepEqual(rowsOf(batch), all);
  assert.deepEqual(batch.sources, ["", "a", "b", "c"]);
});
