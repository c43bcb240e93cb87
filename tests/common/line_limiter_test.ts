import assert from "node:assert/strict";
import { LineLimiter } from "../../src/common/line_limiter.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test({
  name:
    "LineLimiter writes the first line of a kind at once, then one a minute with the number of the others",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const log: string[] = [];
    using limiter = new LineLimiter();
    const add = (kind: string, line: string) =>
      limiter.add(kind, line, (text) => log.push(text));
    for (let i = 1; i <= 14; i++) add("dropped", `dropped ${i}`);
    add("refused", "refused 1");
    assert.deepEqual(log.splice(0), ["dropped 1", "refused 1"]);

    clock.tick(59_999);
    assert.deepEqual(log, []);
    clock.tick(1);
    // Without another line that would trigger it.
    assert.deepEqual(log.splice(0), [
      "dropped 14 (and 12 more in the last minute)",
    ]);

    // The count began a minute of its own: still one line a minute.
    add("dropped", "dropped 15");
    add("refused", "refused 2");
    assert.deepEqual(log.splice(0), ["refused 2"]);
    clock.tick(60_000);
    assert.deepEqual(
      log.splice(0),
      ["dropped 15"],
      "a single one has no count",
    );

    clock.tick(60_000);
    assert.equal(clock.pending, 0, "no timer without lines");
    add("dropped", "dropped 16");
    assert.deepEqual(log, ["dropped 16"]);
  },
});

Deno.test({
  name: "LineLimiter writes the last count when it is disposed, and no timer",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const log: string[] = [];
    {
      using limiter = new LineLimiter();
      const add = (kind: string, line: string) =>
        limiter.add(kind, line, (text) => log.push(text));
      for (let i = 1; i <= 4; i++) add("a", `a ${i}`);
      add("b", "b 1");
      log.length = 0;
    }
    assert.deepEqual(log, ["a 4 (and 2 more in the last minute)"]);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "LineLimiter writes one line of a million in a minute",
  permissions: "none",
  fn: () => {
    using _clock = new FakeClock();
    let lines = 0;
    using limiter = new LineLimiter();
    const add = (kind: string, line: string) =>
      limiter.add(kind, line, () => lines++);
    for (let i = 0; i < 1_000_000; i++) add("a", "line");
    assert.equal(lines, 1);
  },
});
