/** The table, the lines and the order of the states of zones. */
import assert from "node:assert/strict";
import {
  fullestFirst,
  renderZoneLines,
  renderZoneTable,
  zoneStatus,
} from "../../../src/cli/terminal/zone_table.ts";
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
  const options = { time: NOW, width, color: false };
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
