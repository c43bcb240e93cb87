/** The table, the lines and the order of the states of zones. */
import assert from "node:assert/strict";
import { columnsOfText } from "../../../src/cli/terminal/columns.ts";
import { zoneDetails } from "../../../src/cli/terminal/zone_details.ts";
import {
  encodeRows,
  fullestFirst,
  renderRemovedZones,
  renderZoneJson,
  renderZoneLines,
  renderZoneTable,
} from "../../../src/cli/terminal/zone_table.ts";
import { zoneStatus } from "../../../src/cli/terminal/zone_rows.ts";
import type { ZoneState } from "../../../src/zones/mod.ts";

const NOW = 1_760_000_000_000;

function state(zone: string, more: Partial<ZoneState> = {}): ZoneState {
  return {
    zone,
    title: zone,
    layer: "default",
    occupied: true,
    count: 4,
    certain: true,
    capacity: 20,
    percent: 20,
    cells: 40,
    occupiedCells: 3,
    staleCells: 0,
    unknownCells: 0,
    since: NOW - 65_000,
    time: NOW,
    revision: 1,
    ...more,
  };
}

const unknown = { occupied: null, percent: null, count: 0 };

function table(states: readonly ZoneState[], width = 100): string[] {
  const options = { time: NOW, width, depth: "none" as const };
  return renderZoneTable(states, options).split("\n");
}

Deno.test({
  name: "zones are in order: the fullest first, unknown ones last",
  permissions: "none",
  fn: () => {
    const states = [
      state("c", unknown),
      state("b-10", { percent: 0, occupied: false, count: 0 }),
      state("d"),
      state("b-9", { percent: 0, occupied: false, count: 0 }),
      state("e", { percent: 150, count: 30 }),
    ];
    const names = fullestFirst(states).map(({ zone }) => zone);
    assert.deepEqual(names, ["e", "d", "b-9", "b-10", "c"]);
    assert.deepEqual(
      fullestFirst(states).map(zoneStatus),
      ["full", "occupied", "free", "free", "unknown"],
    );
  },
});

Deno.test({
  name: "the table of zones has bars, and leaves out what says nothing",
  permissions: "none",
  fn: () => {
    assert.deepEqual(
      table([
        state("hall", { percent: 156.3, count: 31 }),
        state("lobby", { certain: false, percent: 22.5 }),
        state("yard", { ...unknown, capacity: undefined }),
      ]),
      [
        "zone   state      for  count      %",
        "hall   full      65 s  31/20  156.3  ██████████",
        "lobby  occupied  65 s  ≥4/20   22.5  ██▎",
        "yard   unknown   65 s      ?      ?",
        "",
      ],
    );
    const named = [state("a", { title: "<Café>\x1b", layer: "l2" })];
    assert.match(table(named)[0]!, /^zone {2}title {6,}layer {2}state/);
    assert.match(table(named)[1]!, /^a {5}<Café>\\x1b {2}l2/);
    assert.match(table(named, 35)[0]!, /^zone {2}state {5}count +%$/);
  },
});

Deno.test({
  name: "in a narrow terminal the table has fewer columns, then shorter names",
  permissions: "none",
  fn: () => {
    const states = [
      state("hall", { percent: 100, count: 20 }),
      state("lecture-hall-on-the-second-floor", {
        ...{ title: "Lecture hall", certain: false, percent: 50 },
        ...{ count: 60, capacity: 120, layer: "l2" },
      }),
      state("会議室", unknown),
    ];
    assert.deepEqual(table(states, 40), [
      "zone             state       count",
      "hall             full        20/20  ████",
      "lecture-hall-o…  occupied  ≥60/120  ██",
      "会議室           unknown      ?/20",
      "",
    ]);
    assert.deepEqual(table(states, 24), [
      "zone      state       co",
      "hall      full        20",
      "lecture…  occupied  ≥60/",
      "会議室    unknown      ?",
      "",
    ]);
    for (let width = 30; width < 130; width++) {
      const lines = table(states, width);
      assert.match(lines[1]!, /^hall .*full .*20\/20/, `${width}`);
      for (const line of lines) assert.ok(columnsOfText(line) <= width);
    }
  },
});

Deno.test({
  name: "the table of zones has colors if the terminal has them",
  permissions: "none",
  fn: () => {
    const options = { time: NOW, width: 80, depth: "256" as const };
    const [head, row] = renderZoneTable([state("a")], options).split("\n");
    assert.ok(head!.startsWith("\x1b[38;5;245mzone"));
    assert.ok(row!.startsWith("a     \x1b[38;5;172moccupied"));
    assert.ok(row!.endsWith("\x1b[38;5;172m██\x1b[0m"));
  },
});

Deno.test({
  name: "one zone is described in lines that fit the terminal",
  permissions: "none",
  fn: () => {
    const lines = (one: ZoneState, width = 80) =>
      encodeRows(zoneDetails(one, { time: NOW, width }), width, "none")
        .split("\n").slice(0, -1);
    const since = "since 2025-10-09 08:52 UTC";
    assert.deepEqual(
      lines(state("lobby", { title: "Main\x1b lobby", layer: "l2" })),
      [
        "Main\\x1b lobby   lobby   layer l2",
        `${"█".repeat(8)}${"░".repeat(32)}   4 of 20 (20%)`,
        `occupied for 65 s   ${since}`,
        "40 cells   3 occupied   37 free",
      ],
    );
    const uncertain = {
      ...{ certain: false, staleCells: 1, unknownCells: 3 },
      ...{ capacity: undefined, percent: 7.5 },
    };
    assert.deepEqual(lines(state("a", uncertain), 34), [
      "a",
      `██▌${"░".repeat(31)}`,
      "at least 4 (7.5% of the cells)",
      "occupied for 65 s",
      since,
      "40 cells   3 occupied   33 free",
      "1 stale   3 unknown",
      "stale and unknown cells do not count".slice(0, 34),
    ]);
    const nothing = { ...unknown, certain: false, cells: 0, occupiedCells: 0 };
    assert.deepEqual(lines(state("a", nothing)).slice(1), [
      `${"░".repeat(40)}   unknown of 20`,
      `unknown for 65 s   ${since}`,
      "0 cells   0 occupied   0 free",
      "no cell of the zone was ever reported",
    ]);
  },
});

Deno.test({
  name: "a removed zone is a line with as many columns as another",
  permissions: "none",
  fn: () => {
    const columns = (line: string) => line.split("\t").length;
    const removed = renderRemovedZones(["a"]);
    assert.match(removed, /^a\tremoved\t+\n$/);
    assert.equal(columns(removed), columns(renderZoneLines([state("a")])));
    const [line] = renderZoneJson([state("a")], "rfc3339").split("\n");
    assert.equal(JSON.parse(line!).since, "2025-10-09T08:52:15.000Z");
  },
});

Deno.test({
  name: "a zone is a line with tabs in a pipe",
  permissions: "none",
  fn: () => {
    const since = new Date(NOW - 65_000).toISOString();
    assert.equal(
      renderZoneLines([
        state("a"),
        state("b", { ...unknown, capacity: undefined }),
      ]),
      `a\toccupied\t4\t20\t20\ttrue\tdefault\ta\t${since}\t40\t3\t0\t0\n` +
        `b\tunknown\t0\t\t\ttrue\tdefault\tb\t${since}\t40\t3\t0\t0\n`,
    );
  },
});
