/** Unit tests of the order of frames and of the clock offset. */
import assert from "node:assert/strict";
import { type Frame, newColumns } from "../../../src/feed/frames.ts";
import { ClockOffset } from "../../../src/page/feed/clock_offset.ts";
import { Follower } from "../../../src/page/feed/frame_sequence.ts";

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
    "Follower.judge() takes a snapshot and its deltas, skips others, and sees holes",
  permissions,
  fn: () => {
    const follower = new Follower();
    assert.equal(follower.judge(part(1, 1)), "skip", "nothing was asked for");
    follower.ask({ layer: "default", region: null });
    assert.equal(follower.judge(delta(4, 5)), "skip", "of the view before");
    assert.equal(
      follower.judge(part(2, 2)),
      "skip",
      "the rest of another snapshot",
    );
    assert.equal(follower.judge(part(1, 0)), "take");
    assert.equal(follower.revision, undefined);
    assert.equal(follower.judge(part(2, 2)), "take");
    assert.equal(follower.revision, 5);
    assert.equal(follower.judge(delta(5, 8)), "take");
    assert.equal(follower.judge(delta(8, 9, "hall")), "skip");
    assert.equal(follower.judge(delta(9, 10)), "hole");
    assert.equal(follower.judge(part(1, 0, 9)), "take", "a fresh snapshot");
    assert.equal(follower.judge(part(3, 3, 9)), "hole");
    assert.equal(
      follower.judge(
        { ...part(1, 1), region: { x0: 0, y0: 0, x1: 1, y1: 1 } } as Frame,
      ),
      "skip",
    );
  },
});

Deno.test({
  name: "ClockOffset trusts the quickest of the last answers",
  permissions,
  fn: () => {
    const clock = new ClockOffset();
    assert.equal(clock.serverTime(0), undefined);
    clock.add(1000, 6100, 1200); // 100 ms each way, 5,000 ahead
    assert.equal(clock.serverTime(1200), 6200);
    clock.add(2000, 7900, 3000); // held up on the way back
    assert.equal(clock.serverTime(3000), 8000);
    assert.equal(clock.oneWay, 100);
    clock.add(4000, 9001, 4002);
    assert.equal(clock.serverTime(4002), 9002);
    clock.clear();
    assert.equal(clock.oneWay, undefined);
  },
});
