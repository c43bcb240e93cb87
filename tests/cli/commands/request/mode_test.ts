/** What the flags of `occupancy request` mean, and the answers of --test. */
import assert from "node:assert/strict";
import { colorDepth } from "../../../../src/cli/terminal/color.ts";
import type { RequestFlags } from "../../../../src/cli/commands/request/options.ts";
import { AppError } from "../../../../src/common/errors.ts";
import { requestMode } from "../../../../src/cli/commands/request/mode.ts";
import {
  exitCodeOf,
  verdictOf,
} from "../../../../src/cli/commands/request/test_result.ts";
import { ReadingBatch } from "../../../../src/protocol/mod.ts";

const PIPE = { terminal: false, movable: true };
const TERMINAL = { terminal: true, movable: true };
const DUMB = { terminal: true, movable: false };
const AT = { x0: 1, y0: 2, x1: 1, y1: 2 };

function flags(some: Partial<RequestFlags> = {}): RequestFlags {
  return {
    prefix: "occupancy",
    layer: "default",
    wire: "current",
    color: "auto",
    timeout: 5000,
    ...some,
  };
}

Deno.test({
  name: "requestMode() suits the place: a table for people, lines for a pipe",
  permissions: "none",
  fn: () => {
    const cases: [Partial<RequestFlags>, typeof PIPE, string][] = [
      [{}, TERMINAL, "once table"],
      [{}, PIPE, "once tsv"],
      [{ json: true }, TERMINAL, "once json"],
      [{ format: "table" }, PIPE, "once table"],
      [{ map: true }, TERMINAL, "once map"],
      [{ map: true }, PIPE, "once map"],
      [{ map: true, wire: "original" }, PIPE, "once map"],
      [{ watch: true }, TERMINAL, "watch table"],
      [{ watch: true }, DUMB, "watch tsv"],
      [{ watch: true }, PIPE, "watch tsv"],
      [{ watch: true, format: "tsv" }, TERMINAL, "watch tsv"],
      [{ watch: true, json: true, count: 3 }, TERMINAL, "watch json"],
      [{ watch: true, map: true, for: 1000 }, TERMINAL, "watch map"],
    ];
    for (const [some, place, expected] of cases) {
      const mode = requestMode(flags(some), place);
      assert.ok(mode.kind !== "test");
      assert.equal(`${mode.kind} ${mode.form}`, expected);
    }
    const test = flags({ test: true, quiet: true, at: AT });
    assert.deepEqual(requestMode(test, PIPE), { kind: "test" });
  },
});

Deno.test({
  name: "requestMode() refuses flags that contradict each other, with a hint",
  permissions: "none",
  fn: () => {
    const cases: [Partial<RequestFlags>, typeof PIPE, RegExp][] = [
      [{ count: 3 }, PIPE, /--count goes with --watch/],
      [{ for: 3000 }, PIPE, /--for goes with --watch/],
      [{ test: true }, PIPE, /--test needs a place/],
      [{ test: true, at: AT, watch: true }, PIPE, /--test .* --watch/],
      [{ test: true, at: AT, map: true }, PIPE, /--test .* --map/],
      [{ test: true, at: AT, json: true }, PIPE, /--test .* --json/],
      [{ test: true, at: AT, format: "tsv" }, PIPE, /--test .* --format tsv/],
      [{ map: true, json: true }, PIPE, /--map cannot be used with --json/],
      [{ map: true, format: "tsv" }, PIPE, /--map .* --format tsv/],
      [{ watch: true, map: true }, PIPE, /live map needs a terminal/],
      [{ watch: true, map: true }, DUMB, /live map needs a terminal/],
      [{ watch: true, format: "table" }, PIPE, /live table needs a terminal/],
      [{ watch: true, wire: "original" }, PIPE, /no changes to watch/],
      [{ layer: "l2", wire: "original" }, PIPE, /has no --layer/],
    ];
    for (const [some, place, says] of cases) {
      assert.throws(() => requestMode(flags(some), place), (error) => {
        assert.ok(error instanceof AppError);
        assert.match(error.message, says);
        assert.equal(error.exitClass, "usage");
        assert.ok(error.hint);
        return true;
      });
    }
  },
});

Deno.test({
  name: "colorDepth() heeds NO_COLOR, TERM, COLORTERM and --color",
  permissions: "none",
  fn: () => {
    const cases: [
      env: Record<string, string>,
      terminal: boolean,
      auto: string,
      always: string,
    ][] = [
      [{ TERM: "xterm" }, true, "256", "256"],
      [{ COLORTERM: "truecolor" }, true, "truecolor", "truecolor"],
      [{ COLORTERM: "24bit" }, true, "truecolor", "truecolor"],
      [{ COLORTERM: "yes" }, true, "256", "256"],
      [{ COLORTERM: "24bit", NO_COLOR: "1" }, true, "none", "truecolor"],
      [{ NO_COLOR: "" }, true, "256", "256"],
      [{ TERM: "dumb" }, true, "none", "256"],
      [{ TERM: "xterm" }, false, "none", "256"],
    ];
    for (const [env, terminal, auto, always] of cases) {
      const read = (name: string) => env[name];
      assert.equal(colorDepth("auto", read, terminal), auto);
      assert.equal(colorDepth("always", read, terminal), always);
      assert.equal(colorDepth("never", read, terminal), "none");
    }
  },
});

Deno.test({
  name: "verdictOf() says free only if all cells are for sure",
  permissions: "none",
  fn: () => {
    const NOW = 1_760_000_000_000;
    const verdict = (...cells: [value: number, age: number][]) => {
      const batch = new ReadingBatch();
      cells.forEach(([value, age], x) => batch.push(x, 0, value, NOW - age));
      const view = { layer: "default", cells: batch, time: NOW };
      const verdict = verdictOf({ ...view, staleAfter: 1000 });
      return `${verdict} ${exitCodeOf(verdict)}`;
    };
    assert.equal(verdict([1, 0]), "occupied 0");
    assert.equal(verdict([0, 0]), "free 10");
    assert.equal(verdict([0, 1000]), "free 10", "just not stale");
    assert.equal(verdict([0, 1001]), "stale 11");
    assert.equal(verdict([4, 1001]), "stale 11");
    assert.equal(verdict([-1, 0]), "unknown 11");
    assert.equal(verdict(), "unknown 11", "never reported");
    assert.equal(verdict([0, 0], [0, 0]), "free 10");
    assert.equal(verdict([0, 0], [1, 1001]), "stale 11");
    assert.equal(verdict([0, 0], [-1, 0], [0, 1001]), "unknown 11");
    assert.equal(verdict([-1, 0], [0, 1001], [2, 0]), "occupied 0");
  },
});
