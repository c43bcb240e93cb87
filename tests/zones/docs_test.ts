/** docs/ZONES.md says what the code does. */
import assert from "node:assert/strict";
import {
  DEFAULT_ZONE_LIMITS,
  readZoneEvent,
  readZones,
  readZoneState,
  toFeature,
} from "../../src/zones/mod.ts";
import { permitted } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

function read(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

/** The first words in code of the rows of the tables in a section. */
function rowsOf(section: string): string[] {
  const text = read("docs/ZONES.md").split(`\n## ${section}\n`)[1]!
    .split("\n## ")[0]!;
  return [...text.matchAll(/^\| `([\w-]+)`/gm)].map(([, word]) => word!);
}

Deno.test({
  name: "docs/ZONES.md: its JSON is what the code reads",
  ignore: !permitted(),
  fn: async () => {
    const blocks = [...read("docs/ZONES.md").matchAll(/```json\n([^`]+)```/g)]
      .map(([, text]) => text!);
    assert.equal(blocks.length, 3);
    const [collection, state, event] = blocks.map((text) => JSON.parse(text));
    const zones = await readZones(blocks[0]!);
    assert.deepEqual(zones.map(toFeature), collection.features);
    assert.deepEqual(readZoneState(state), state);
    assert.deepEqual(readZoneEvent(event), event);
    assert.deepEqual(rowsOf("The state"), Object.keys(state).slice(3));
  },
});

Deno.test({
  name: "docs/ZONES.md: all properties, error codes, events and limits",
  ignore: !permitted(),
  fn: () => {
    const known = /const KNOWN = new Set\(\[([^]*?)\]\);/
      .exec(read("src/zones/zone_properties.ts"))![1]!;
    assert.deepEqual(
      rowsOf("The form").sort(),
      [...known.matchAll(/"(\w+)"/g)].map(([, name]) => name).sort(),
    );
    const codes = read("src/zones/errors.ts")
      .split("export type ZoneErrorCode =")[1]!.split(";")[0]!;
    assert.deepEqual(
      rowsOf("Errors").sort(),
      [...codes.matchAll(/"([a-z0-9-]+)"/g)].map(([, code]) => code).sort(),
    );
    const events = read("src/zones/zone_events.ts")
      .split("export type ZoneEventName =")[1]!.split(";")[0]!;
    assert.deepEqual(
      rowsOf("Events").sort(),
      [...events.matchAll(/"(\w+)"/g)].map(([, name]) => name).sort(),
    );
    const limits = read("docs/ZONES.md").split("\n## Limits\n")[1]!;
    const { bytes, featureBytes, zones, positions } = DEFAULT_ZONE_LIMITS;
    for (
      const limit of [
        `${bytes / 2 ** 20} MiB`,
        `${featureBytes / 1024} KiB`,
        zones.toLocaleString("en"),
        positions.toLocaleString("en"),
      ]
    ) assert.ok(limits.includes(`| ${limit} `), limit);
  },
});
