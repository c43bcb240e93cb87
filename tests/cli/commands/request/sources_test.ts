/** `occupancy request --sources`, and how sources are printed. */
import assert from "node:assert/strict";
import {
  renderSourceJson,
  renderSourceLines,
  renderSourceTable,
} from "../../../../src/cli/terminal/source_table.ts";
import type { SourceList } from "../../../../src/protocol/mod.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { runOccupancy } from "../../../support/processes.ts";
import { startSystem } from "../../../support/system.ts";

const NOW = 1_760_000_000_000;
const LIST: SourceList = {
  time: NOW,
  began: NOW - 9e6,
  silentAfter: 600_000,
  total: 2,
  silent: 1,
  sources: [
    {
      ...{ source: "cam\u001b[2J-7", silent: true, first: NOW - 8e6 },
      ...{ last: NOW - 2_460_000, readings: 340, rate: 0, refused: 2 },
      lastRefused: { code: "late", time: NOW - 3e6 },
    },
    {
      ...{ source: "gate", silent: false, first: NOW - 8e6 },
      ...{ last: NOW - 1500, readings: 8560, rate: 31.42, refused: 0 },
    },
  ],
  unnamed: { first: 1, last: NOW - 61_000, readings: 1, rate: 0, refused: 0 },
};

Deno.test({
  name: "the table of sources has ages in words, and fits the terminal",
  permissions: "none",
  fn: () => {
    const wide = renderSourceTable(LIST, { width: 100, color: false });
    assert.deepEqual(wide.split("\n"), [
      "2 sources · 1 silent for more than 10 min · 1 reading without a source, the last 61 s ago",
      "source        state      last reading  per second  readings  refused  reason",
      "cam\\x1b[2J-7  silent       41 min ago        0.00       340        2  late",
      "gate          reporting       1 s ago        31.4      8560        0",
      "",
    ]);
    const narrow = renderSourceTable(LIST, { width: 44, color: false });
    assert.match(narrow, /^source +state +last reading$/m);
    const { silentAfter: _, ...without } = LIST;
    const stateless = renderSourceTable(without, { width: 100, color: true });
    assert.doesNotMatch(stateless, /state|silent|reporting/);
    const empty = { ...LIST, total: 0, silent: 0, sources: [] };
    assert.match(
      renderSourceTable(empty, { width: 80, color: false }),
      /^0 sources · 0 silent/,
    );
  },
});

Deno.test({
  name: "sources in a pipe are lines with tabs, or JSON",
  permissions: "none",
  fn: () => {
    assert.equal(
      renderSourceLines(LIST),
      "cam\\x1b[2J-7\tsilent\t2025-10-09T08:12:20.000Z\t0\t340\t2\tlate\n" +
        "gate\treporting\t2025-10-09T08:53:18.500Z\t31.42\t8560\t0\t\n",
    );
    const lines = renderSourceJson(LIST).trim().split("\n");
    assert.deepEqual(lines.map((line) => JSON.parse(line)), LIST.sources);
  },
});

Deno.test({
  name: "request --sources prints the sources of the server",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const request = (...flags: string[]) =>
      runOccupancy([
        ...["request", "--broker", system.url, "--sources", ...flags],
      ]);
    const none = await request();
    assert.deepEqual([none.code, none.stdout], [0, ""]);
    assert.match(none.stderr, /No reading has named its source/);
    const payload = '{"source":"cam-7","cells":[[1,2,1],[1,"x",1]]}';
    await system.server.submit("default", new TextEncoder().encode(payload));
    const { code, stdout, stderr } = await request("--json");
    assert.deepEqual([code, stderr], [0, ""]);
    const { source, readings, refused, lastRefused } = JSON.parse(stdout);
    assert.deepEqual(
      [source, readings, refused, lastRefused.code],
      ["cam-7", 1, 1, "bad-y"],
    );
    assert.match((await request()).stdout, /^cam-7\treporting\t/);
    const table = (await request("--format", "table")).stdout;
    assert.match(table, /^1 source\nsource +last reading .*\ncam-7 +\d+ s ago/);
    for (
      const flag of ["--watch", "--map", "--test", "--layer=l2", "--at=1,1"]
    ) {
      assertFailure(
        await request(flag),
        2,
        new RegExp(`Cannot use --sources with ${flag.replace(/=.*/, "")}`),
      );
    }
    assertFailure(
      await request("--wire", "original"),
      2,
      /Cannot use --sources with --wire original/,
    );
  },
});
