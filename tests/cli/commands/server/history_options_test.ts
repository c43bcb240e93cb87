/** The options of the history, and what the server says of it. */
import assert from "node:assert/strict";
import {
  HISTORY_OPTIONS,
  type HistoryFlags,
  historyUseOf,
} from "../../../../src/cli/commands/server/history_options.ts";
import { AppError } from "../../../../src/common/errors.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";

const HOUR_MS = 3_600_000;
const FLAGS: HistoryFlags = { historyResolution: 1, historyCells: "on" };

function parse(name: string, text: string): unknown {
  const option = HISTORY_OPTIONS.find((one) => one.name === name);
  return (option as { parse: (text: string) => unknown }).parse(text);
}

Deno.test({
  name:
    "--history and --history-rollups are at least an hour, in units to years",
  permissions: "none",
  fn: () => {
    assert.equal(parse("history", "1h"), HOUR_MS);
    assert.equal(parse("history", "30d"), 30 * 24 * HOUR_MS);
    assert.equal(parse("history-rollups", "2y"), 2 * 365 * 24 * HOUR_MS);
    for (const text of ["", "0", "59m", "101y", "1.5y", "2w", "y", "999999d"]) {
      assert.throws(() => parse("history", text), RangeError, text);
    }
  },
});

Deno.test({
  name: "--history-resolution is a part of an hour in whole seconds",
  permissions: "none",
  fn: () => {
    const cases = { "1s": 1, "10": 10, "1m": 60, "15m": 900 };
    for (const [text, seconds] of Object.entries(cases)) {
      assert.equal(parse("history-resolution", text), seconds);
    }
    for (const text of ["0", "500ms", "1.5s", "7s", "16m", "1h", "x"]) {
      assert.throws(() => parse("history-resolution", text), RangeError, text);
    }
  },
});

Deno.test({
  name: "historyUseOf() records by default, in memory at most 48 MiB",
  ...needs(),
  fn: () => {
    const { options, description } = historyUseOf(FLAGS, "sqlite:/a/map.db");
    assert.deepEqual(
      { ...options, timezone: "" },
      {
        stepSeconds: 1,
        keepSeconds: 30 * 24 * 3600,
        keepRollupsSeconds: 2 * 365 * 24 * 3600,
        maxBytes: undefined,
        cells: true,
        timezone: "",
      },
    );
    assert.equal(description, "the last 30 days, with rollups of 2 years");
    const memory = historyUseOf(FLAGS, "memory:").options!;
    assert.ok(memory.maxBytes! <= 48 * 2 ** 20, `${memory.maxBytes}`);
    assert.ok(memory.maxBytes! >= 2 ** 20, `${memory.maxBytes}`);
  },
});

Deno.test({
  name: "historyUseOf() takes all options",
  permissions: "none",
  fn: () => {
    const year = 365 * 24 * HOUR_MS;
    const flags: HistoryFlags = {
      ...{ history: 3 * year, historySize: 5e9, historyResolution: 60 },
      ...{ historyCells: "off", timezone: "Asia/Tokyo" },
    };
    const { options, description } = historyUseOf(flags, "sqlite:map.db");
    assert.deepEqual(options, {
      stepSeconds: 60,
      keepSeconds: 3 * year / 1000,
      // Not shorter than the changes of cells.
      keepRollupsSeconds: 3 * year / 1000,
      maxBytes: 5e9,
      cells: false,
      timezone: "Asia/Tokyo",
    });
    assert.equal(description, "rollups only, of the last 3 years");
    assert.throws(
      () => historyUseOf({ ...flags, historyRollups: year }, "sqlite:map.db"),
      (error) =>
        error instanceof AppError && /1 year.*3 years/.test(error.message),
    );
  },
});

Deno.test({
  name: "historyUseOf() records in Redis too, and nothing with --no-history",
  permissions: "none",
  fn: () => {
    const store = "redis://127.0.0.1/site";
    const { options, description } = historyUseOf(FLAGS, store);
    assert.equal(options!.maxBytes, undefined, "the default of the server");
    assert.equal(description, "the last 30 days, with rollups of 2 years");
    const off = historyUseOf({ ...FLAGS, noHistory: true }, "sqlite:map.db");
    assert.equal(off.options, undefined);
    assert.equal(off.description, "not recorded (--no-history)");
  },
});

Deno.test({
  name: "server says at its start whether it records a history",
  ...needs(),
  fn: async () => {
    const start = ["server", "--listen", "127.0.0.1:0"];
    for (
      const [args, line] of [
        [[], /History: the last 30 days, with rollups of 2 years$/m],
        [["--history=36h"], /History: the last 36h, with rollups of 2 years$/m],
        [["--no-history"], /History: not recorded \(--no-history\)$/m],
      ] as const
    ) {
      await using server = occupancy([...start, ...args]);
      await server.waitFor(/Ready/);
      assert.match(server.stderr, line);
      server.kill("SIGTERM");
      assert.equal((await server.ended()).code, 0);
    }
    assertFailure(
      await runOccupancy([...start, "--history", "2h", "--no-history"]),
      2,
      /--no-history/,
      /use one of them/,
    );
    assertFailure(
      await runOccupancy([...start, "--timezone", "Mars"]),
      2,
      /Invalid --timezone "Mars"/,
      /Europe\/Berlin/,
    );
  },
});
