import assert from "node:assert/strict";
import { newColumns } from "../../../src/feed/columns.ts";
import type { Frame } from "../../../src/feed/frames.ts";
import { FrameSequence } from "../../../src/page/feed/frame_sequence.ts";

const permissions = "none";
const T0 = 1_790_000_000_000;

const EMPTY = newColumns(0);
const delta = (from: number, to: number, layer = "default"): Frame => ({
  kind: "delta",
  layer,
  from,
  to,
  time: T0,
  cells: EMPTY,
});
const part = (part: number, parts: number, revision = 5): Frame => ({
  kind: "snapshot",
  layer: "default",
  region: null,
  revision,
  time: T0,
  part,
  parts,
  cells: EMPTY,
});

Deno.test({
  name:
    "FrameSequence.check() applies a snapshot and its deltas, skips others, and detects gaps",
  permissions,
  fn: () => {
    const sequence = new FrameSequence();
    assert.equal(sequence.check(part(1, 1)), "skip", "no view yet");
    sequence.start({ layer: "default", region: null });
    assert.equal(sequence.check(delta(4, 5)), "skip", "of an earlier view");
    assert.equal(
      sequence.check(part(2, 2)),
      "skip",
      "the last part of an earlier snapshot",
    );
    assert.equal(sequence.check(part(1, 0)), "apply");
    assert.equal(sequence.revision, undefined);
    assert.equal(sequence.check(part(2, 2)), "apply");
    assert.equal(sequence.revision, 5);
    assert.equal(sequence.check(delta(5, 8)), "apply");
    assert.equal(sequence.check(delta(8, 9, "hall")), "skip");
    assert.equal(sequence.check(delta(9, 10)), "gap");
    assert.equal(sequence.check(part(1, 0, 9)), "apply", "a new snapshot");
    assert.equal(sequence.check(part(3, 3, 9)), "gap");
    assert.equal(
      sequence.check(
        { ...part(1, 1), region: { x0: 0, y0: 0, x1: 1, y1: 1 } } as Frame,
      ),
      "skip",
    );
  },
});
