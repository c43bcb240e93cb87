/** The modes of `occupancy request`, and the exit codes of --test. */
import assert from "node:assert/strict";
import { colorDepth } from "../../../../src/cli/terminal/capabilities.ts";
import type { RequestFlags } from "../../../../src/cli/commands/request/options.ts";
import { AppError } from "../../../../src/common/errors.ts";
import { requestMode } from "../../../../src/cli/commands/request/mode.ts";
import {
  combinedStatus,
  exitCodeOf,
} from "../../../../src/cli/commands/request/run.ts";
import { ReadingBatch } from "../../../../src/protocol/mod.ts";

const PIPE = { terminal: false, cursor: true };
const TERMINAL = { terminal: true, cursor: true };
const DUMB = { terminal: true, cursor: false };
const AT = { x0: 1, y0: 2, x1: 1, y1: 2 };

function flags(some: Partial<RequestFlags> = {}): RequestFlags {
  return {
    prefix: "occupancy",
    layer: "default",
    wire: "current",
    color: "auto",
    timeout: 5000,
    pager: true,
    ...some,
  };
}

Deno.test({
  name: "requestMode() returns a table for a terminal and lines for a pipe",
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
      [{ zones: true }, TERMINAL, "once table"],
      [{ zone: "lobby", watch: true }, PIPE, "watch tsv"],
    ];
    for (const [some, output, expected] of cases) {
      const mode = requestMode(flags(some), output);
      assert.ok(mode.kind !== "test");
      assert.equal(`${mode.kind} ${mode.form}`, expected);
    }
    const test = flags({ test: true, quiet: true, at: AT });
    assert.deepEqual(requestMode(test, PIPE), { kind: "test" });
  },
});

Deno.test({
  name:
    "requestMode() throws for flags that contradict each other, with a hint",
  permissions: "none",
  fn: () => {
    const cases: [Partial<RequestFlags>, typeof PIPE, RegExp][] = [
      [{ count: 3 }, PIPE, /Cannot use --count without --watch/],
      [{ for: 3000 }, PIPE, /Cannot use --for without --watch/],
      [{ test: true }, PIPE, /--test without --at, --region or --zone/],
      [{ test: true, at: AT, watch: true }, PIPE, /--test .* --watch/],
      [{ test: true, at: AT, map: true }, PIPE, /--test .* --map/],
      [{ test: true, at: AT, json: true }, PIPE, /--test .* --json/],
      [{ test: true, at: AT, format: "tsv" }, PIPE, /--test .* --format tsv/],
      [{ map: true, json: true }, PIPE, /Cannot use --map with --json/],
      [{ map: true, format: "tsv" }, PIPE, /--map .* --format tsv/],
      [
        { watch: true, map: true },
        PIPE,
        /--map with --watch: a live map needs a terminal/,
      ],
      [
        { watch: true, map: true },
        DUMB,
        /--map with --watch: a live map needs a terminal/,
      ],
      [
        { watch: true, format: "table" },
        PIPE,
        /--format table with .* table needs a terminal/,
      ],
      [
        { watch: true, wire: "original" },
        PIPE,
        /Cannot use --watch with --wire original/,
      ],
      [
        { zone: "lobby", wire: "original" },
        PIPE,
        /Cannot use --zone with --wire original/,
      ],
      [
        { zones: true, wire: "original" },
        PIPE,
        /Cannot use --zones with --wire original/,
      ],
      [
        { layer: "l2", wire: "original" },
        PIPE,
        /Cannot use --layer with --wire original/,
      ],
    ];
    for (const [some, output, expected] of cases) {
      assert.throws(() => requestMode(flags(some), output), (error) => {
        assert.ok(error instanceof AppError);
        assert.match(error.message, expected);
        assert.equal(error.exitClass, "usage");
        assert.ok(error.hint);
        return true;
      });
    }
  },
});

Deno.test({
  name: "colorDepth() respects NO_COLOR, TERM, COLORTERM and --color",
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
  name: "combinedStatus() returns free only if all cells are free and fresh",
  permissions: "none",
  fn: () => {
    const NOW = 1_760_000_000_000;
    const test = (...cells: [value: number, age: number][]) => {
      const batch = new ReadingBatch();
      cells.forEach(([value, age], x) => batch.push(x, 0, value, NOW - age));
      const view = { layer: "default", cells: batch, time: NOW };
      const status = combinedStatus({ ...view, staleAfter: 1000 });
      return `${status} ${exitCodeOf(status)}`;
    };
    assert.equal(test([1, 0]), "occupied 0");
    assert.equal(test([0, 0]), "free 10");
    assert.equal(test([0, 1000]), "free 10", "just not stale");
    assert.equal(test([0, 1001]), "stale 11");
    assert.equal(test([4, 1001]), "stale 11");
    assert.equal(test([-1, 0]), "unknown 11");
    assert.equal(test(), "unknown 11", "never reported");
    assert.equal(test([0, 0], [0, 0]), "free 10");
    assert.equal(test([0, 0], [1, 1001]), "stale 11");
    assert.equal(test([0, 0], [-1, 0], [0, 1001]), "unknown 11");
    assert.equal(test([-1, 0], [0, 1001], [2, 0]), "occupied 0");
  },
});
