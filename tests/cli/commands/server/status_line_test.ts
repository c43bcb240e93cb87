import assert from "node:assert/strict";
import fc from "fast-check";
import {
  eraseLines,
  type Status,
  type StatusExtras,
  statusLines,
} from "../../../../src/cli/commands/server/status_line.ts";
import { describeShared } from "../../../../src/cli/commands/server/shared_status.ts";
import { columnsOfText } from "../../../../src/cli/terminal/columns.ts";

const STATUS = { readings: 0, cells: 9360, broker: "mqtt://localhost:1883" };

function statusText(status: Status, extras: StatusExtras): string {
  return statusLines(status, extras).join("|");
}

Deno.test({
  name: "statusLines() has rate, cells, the last error and the broker",
  permissions: "none",
  fn: () => {
    assert.equal(
      statusText(STATUS, { rate: 1234.4, columns: 100 }),
      "1,234 readings/s · 9,360 cells · no errors · mqtt://localhost:1883",
    );
    const problem = { message: "Disconnected from the broker", seconds: 61 };
    assert.equal(
      statusText({ ...STATUS, cells: 1 }, { rate: 0, problem, columns: 100 }),
      "0 readings/s · 1 cell · 1 min ago: Disconnected from the broker · mqtt://localhost:1883",
    );
  },
});

Deno.test({
  name: "statusLines() says that the store is shared, and what this server has",
  permissions: "none",
  fn: () => {
    const shared = {
      members: ["a", "b"],
      shards: 16,
      held: [0, 3, 5],
      lag: { entries: 0, ms: 0 },
      damagedEntries: 0,
      sizes: undefined,
    };
    assert.equal(
      statusText({ ...STATUS, shared }, { rate: 5, columns: 120 }),
      "5 readings/s · 9,360 cells · 2 members, 3 of 16 shards · no errors · mqtt://localhost:1883",
    );
    assert.equal(
      statusText({ ...STATUS, shared }, { rate: 5, columns: 41 }),
      "5 readings/s · 9,360 cells · no errors",
    );
    assert.equal(describeShared(shared), "16 shards, shared by a and b");
    const members = Array.from({ length: 12 }, (_, i) => `s${i}\n`);
    assert.match(
      describeShared({ ...shared, members }),
      /^16 shards, shared by s0\\n, .*, s9\\n and 2 more$/,
    );
  },
});

Deno.test({
  name: "statusLines() are shorter than the terminal is wide, at most three",
  permissions: "none",
  fn: () => {
    const columns = fc.integer({ min: 3, max: 120 });
    fc.assert(
      fc.property(
        columns,
        fc.string({ unit: "binary" }),
        (columns, message) => {
          const problem = { message, seconds: 5 };
          const lines = statusLines(STATUS, { rate: 1, problem, columns });
          assert.ok(lines.length <= 3);
          for (const line of lines) {
            assert.ok(columnsOfText(line) < columns, line);
          }
        },
      ),
    );
  },
});

Deno.test({
  name: "statusLines() keeps the reason of a problem in a narrow terminal",
  permissions: "none",
  fn: () => {
    const problem = {
      message: "Cannot write the map: the disk is full, readings wait",
      seconds: 12,
    };
    assert.deepEqual(statusLines(STATUS, { rate: 5, problem, columns: 40 }), [
      "12 s ago: Cannot write the map: the dis",
      "k is full, readings wait",
    ]);
    assert.deepEqual(statusLines(STATUS, { rate: 5, columns: 40 }), [
      "5 readings/s · 9,360 cells · no errors",
    ]);
    assert.deepEqual(statusLines(STATUS, { rate: 5, columns: 20 }), [
      "5 readings/s",
    ]);
    assert.deepEqual(
      statusLines({ ...STATUS, broker: "mqtt://会議室" }, {
        rate: 5,
        columns: 54,
      }),
      ["5 readings/s · 9,360 cells · no errors"],
    );
  },
});

Deno.test({
  name:
    "eraseLines() erases the pieces into which a narrow window wraps a line",
  permissions: "none",
  fn: () => {
    const line = "a".repeat(79);
    assert.equal(eraseLines([line], 80, true), "\r\x1b[2K");
    assert.equal(eraseLines([line], 40, true), "\r\x1b[1A\x1b[J");
    assert.equal(eraseLines([line, "b"], 30, true), "\r\x1b[3A\x1b[J");
    assert.equal(eraseLines([line], 40, false), "\r\x1b[2K");
  },
});
