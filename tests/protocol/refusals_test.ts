import assert from "node:assert/strict";
import { Refusals } from "../../src/protocol/mod.ts";
import { pure } from "./support.ts";

pure("Refusals keeps the first eight, and the first one of each code", () => {
  const refusals = new Refusals();
  let described = 0;
  for (let line = 1; line <= 100; line++) {
    refusals.add("bad-x", () => `message ${++described}`, line);
  }
  refusals.add("late", () => "late", 101, "cam-7");
  refusals.add("late", () => assert.fail("described"), 102);
  assert.equal(described, 8);
  assert.equal(refusals.total, 102);
  assert.deepEqual([...refusals.byCode], [["bad-x", 100], ["late", 2]]);
  assert.equal(refusals.kept.length, 9);
  assert.deepEqual(refusals.kept[8], {
    code: "late",
    message: "late",
    line: 101,
    source: "cam-7",
  });
  assert.deepEqual(refusals.kept[7], {
    code: "bad-x",
    message: "message 8",
    line: 8,
  });
});

pure("Refusals counts by code and source", () => {
  const refusals = new Refusals();
  refusals.add("late", () => "late", 1, "a");
  refusals.add("bad-x", () => "x", 2);
  for (let line = 3; line < 100; line++) {
    refusals.add("late", () => "late", line, line % 2 ? "b" : "");
  }
  assert.deepEqual([...refusals.sourcesOf("late")], [["a", 1], ["b", 49], [
    "",
    48,
  ]]);
  assert.deepEqual([...refusals.sourcesOf("bad-x")], [["", 1]]);
  assert.equal(refusals.sourcesOf("future").size, 0);
});

pure("empty Refusals share no state", () => {
  const one = new Refusals();
  const two = new Refusals();
  one.add("bad-x", () => "x");
  assert.equal(two.total, 0);
  assert.equal(two.byCode.size, 0);
  assert.deepEqual(two.kept, []);
  assert.deepEqual(one.kept, [{ code: "bad-x", message: "x" }]);
});
