/**
 * The templates, rendered by Jinja itself: Home Assistant's template engine.
 */
import assert from "node:assert/strict";
import * as templates from "../../src/home_assistant/templates.ts";
import type { ZoneState } from "../../src/zones/mod.ts";
import { needs, requireTool } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { render } from "./templates.ts";

/** As in Home Assistant: sandboxed, and `value_json` only if it is JSON. */
const RENDER = `
import json, sys
from jinja2.sandbox import ImmutableSandboxedEnvironment
environment = ImmutableSandboxedEnvironment()
cases = json.load(sys.stdin)
def rendered(template, payload):
    variables = {"value": payload}
    try:
        variables["value_json"] = json.loads(payload)
    except ValueError:
        pass
    return environment.from_string(template).render(variables)
print(json.dumps([rendered(*case) for case in cases]))
`;

const STATE: ZoneState = {
  zone: "küche",
  title: `<b>"Küche" & 'Flur'</b>`,
  layer: "home",
  occupied: true,
  count: 4,
  certain: true,
  capacity: 20,
  percent: 20,
  cells: 40,
  occupiedCells: 3,
  staleCells: 0,
  unknownCells: 0,
  since: 1_764_270_000_000,
  time: 1_764_270_000_123,
  revision: 812,
};

const STATES: readonly ZoneState[] = [
  STATE,
  { ...STATE, occupied: false, count: 0, percent: 0 },
  { ...STATE, occupied: null, count: 0, percent: null, certain: false },
  { ...STATE, capacity: undefined, percent: 12.5, count: 2_000_000_000_000 },
];

/** Of zones and of the server; and what is none of both. */
const PAYLOADS: readonly string[] = [
  ...STATES.map((state) => JSON.stringify(state)),
  "",
  "not JSON",
  JSON.stringify({ state: "online", name: "occupancy-server", since: 1 }),
  JSON.stringify({ state: "offline" }),
  JSON.stringify({ state: "online", problem: "The disk is full" }),
];

const isOfServer = (payload: string) => payload.includes('"state"');

Deno.test({
  name: "Jinja renders the templates as the tests assume",
  ...needs("jinja"),
  fn: async () => {
    const cases = Object.values(templates).flatMap((template) =>
      PAYLOADS.filter((payload) =>
        isOfServer(payload) ===
          (template === templates.AVAILABILITY_TEMPLATE) ||
        !payload.startsWith("{")
      ).map((payload) => [template, payload] as const)
    );
    await using jinja = new Running(
      requireTool("jinja"),
      ["-c", RENDER],
      { input: JSON.stringify(cases) },
    );
    const { code, stdout, stderr } = await jinja.ended();
    assert.equal(code, 0, stderr);
    const results = JSON.parse(stdout) as string[];
    assert.equal(results.length, cases.length);
    cases.forEach(([template, payload], i) => {
      const expected = render(template, payload);
      const actual = results[i]!;
      const what = `${template} of ${payload}`;
      if (template === templates.ATTRIBUTES_TEMPLATE) {
        assert.deepEqual(JSON.parse(actual), JSON.parse(expected), what);
      } else assert.equal(actual, expected, what);
    });
  },
});

Deno.test("an unknown zone is None, so unknown, in all entities", () => {
  const payload = JSON.stringify(STATES[2]);
  const { OCCUPIED_TEMPLATE, COUNT_TEMPLATE, PERCENT_TEMPLATE } = templates;
  assert.deepEqual(
    [OCCUPIED_TEMPLATE, COUNT_TEMPLATE, PERCENT_TEMPLATE].map((template) =>
      render(template, payload)
    ),
    ["None", "None", "None"],
  );
});

Deno.test("the attributes have the rest of the state, without what is always new", () => {
  const { ATTRIBUTES_TEMPLATE } = templates;
  const attributes = JSON.parse(
    render(ATTRIBUTES_TEMPLATE, JSON.stringify(STATE)),
  );
  assert.deepEqual(Object.keys(attributes), [
    ...["zone", "title", "layer", "certain", "capacity", "cells"],
    ...["occupiedCells", "staleCells", "unknownCells", "since"],
  ]);
});
