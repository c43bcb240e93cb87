/** What the page says of a zone, and the order of the list. */
import assert from "node:assert/strict";
import { ZoneOrder } from "../../../src/page/zones/zone_order.ts";
import {
  describeCells,
  describeCount,
  describeZone,
  formatPercent,
  lookOf,
  numbersOf,
  remarkOf,
} from "../../../src/page/zones/zone_text.ts";
import type { ZoneState } from "../../../src/zones/zone_state.ts";

const permissions = "none";

function stateOf(values: Partial<ZoneState> = {}): ZoneState {
  return {
    ...{ zone: "lobby", title: "Lobby", layer: "default", occupied: true },
    ...{ count: 12, certain: true, capacity: 40, percent: 30, cells: 100 },
    ...{ occupiedCells: 10, staleCells: 0, unknownCells: 0 },
    ...{ since: 0, time: 0, revision: 1 },
    ...values,
  };
}

Deno.test({
  name: "a count with stale or unknown cells is shown as a lower bound",
  permissions,
  fn: () => {
    const bound = stateOf({ certain: false, staleCells: 3, unknownCells: 1 });
    assert.deepEqual(numbersOf(bound), {
      count: "≥ 12",
      of: "/40",
      percent: "≥ 30%",
    });
    assert.equal(describeCount(bound, undefined), "at least 12 of 40 people");
    assert.equal(
      describeCells(bound),
      "100 cells, 3 stale, 1 unknown",
    );
    assert.equal(remarkOf(bound), "stale");
    const partial = stateOf({ certain: false, unknownCells: 1 });
    assert.equal(remarkOf(partial), "partial");
    assert.equal(remarkOf(stateOf()), "");
    assert.equal(describeCells(stateOf()), "100 cells, all known");
    assert.equal(
      describeCells(stateOf({ cells: 0 })),
      "no cell was ever reported",
    );
  },
});

Deno.test({
  name: "a zone of which nothing is known has no numbers, and is not free",
  permissions,
  fn: () => {
    const unknown = stateOf({
      ...{ occupied: null, count: 0, percent: null, certain: false },
      unknownCells: 100,
    });
    assert.equal(lookOf(unknown), "unknown");
    assert.deepEqual(numbersOf(unknown), {
      count: "unknown",
      of: "",
      percent: "–",
    });
    assert.equal(describeZone(unknown, undefined), "Lobby: unknown");
    assert.equal(lookOf(undefined), "unknown");
  },
});

Deno.test({
  name: "a zone is described with its unit, and with or without a capacity",
  permissions,
  fn: () => {
    const car = ["car", "cars"] as const;
    assert.equal(
      describeZone(stateOf(), car),
      "Lobby: occupied, 12 of 40 cars, 30%",
    );
    const open = stateOf({ capacity: undefined, count: 1 });
    assert.equal(describeCount(open, car), "1 car");
    assert.deepEqual(numbersOf(open), { count: "1", of: "", percent: "30%" });
    assert.equal(lookOf(stateOf({ count: 40, percent: 100 })), "full");
    assert.equal(lookOf(stateOf({ count: 0, occupied: false })), "free");
    // A zone can be full before it counts as occupied.
    assert.equal(lookOf(stateOf({ count: 41, occupied: false })), "full");
    assert.deepEqual(
      [0, 0.4, 50.5, 99.6, 100, 120].map(formatPercent),
      ["0%", "<1%", "51%", ">99%", "100%", "120%"],
    );
  },
});

Deno.test({
  name:
    "ZoneOrder.find() has the fullest first, unknown ones last, equal ones by title",
  permissions,
  fn: () => {
    const zone = (name: string, percent: number | null, layer = "default") =>
      stateOf({
        ...{ zone: name, title: `Room ${name}`, layer, percent },
        occupied: percent === null ? null : percent > 0,
      });
    const states = new Map(
      [
        zone("10", 0),
        zone("2", 0),
        zone("x", null),
        zone("full", 120),
        zone("half", 50),
        zone("other", 99, "hall"),
      ].map((state) => [state.zone, state]),
    );
    const order = new ZoneOrder();
    assert.equal(order.update(states, undefined), true);
    const find = (search = "", layer: string | undefined = "default") =>
      order.find({ layer, filter: "all", search });
    const names = (...query: Parameters<typeof find>) =>
      find(...query).states.map(({ zone }) => zone);
    assert.deepEqual(names(), ["full", "half", "2", "10", "x"]);
    assert.deepEqual(names("ROOM 1"), ["10"]);
    assert.deepEqual(names("róom h"), ["half"]);
    assert.equal(find().hasOthers, true);
    assert.deepEqual(find().counts, { all: 5, busy: 1, stale: 0, unknown: 1 });
    const all = order.find({ layer: undefined, filter: "busy", search: "" });
    assert.deepEqual(all.states.map(({ zone }) => zone), ["full", "other"]);
    // Only counts change: no zone is added.
    states.set("2", zone("2", 75));
    assert.equal(order.update(states, ["2"]), false);
    assert.deepEqual(names(), ["full", "2", "half", "10", "x"]);
    states.delete("half");
    assert.equal(order.update(states, ["half"]), true);
    assert.deepEqual(names(), ["full", "2", "10", "x"]);
  },
});
