import assert from "node:assert/strict";
import fc from "fast-check";
import { statusText } from "../../../../src/cli/commands/server/status_line.ts";

const STATUS = { readings: 0, cells: 9360, broker: "mqtt://localhost:1883" };

Deno.test({
  name: "statusText() has rate, cells, the last error and the broker",
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
  name: "statusText() is shorter than the terminal is wide",
  permissions: "none",
  fn: () => {
    const columns = fc.integer({ min: 2, max: 120 });
    fc.assert(fc.property(columns, fc.string(), (columns, message) => {
      const problem = { message, seconds: 5 };
      const text = statusText(STATUS, { rate: 1, problem, columns });
      assert.ok(text.length < columns, text);
    }));
  },
});
