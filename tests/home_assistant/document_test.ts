/** docs/HOME-ASSISTANT.md: what a reader copies from it. */
import assert from "node:assert/strict";
import { load } from "js-yaml";
import { Discovery } from "../../src/home_assistant/mod.ts";
import { PEOPLE } from "../../src/protocol/display.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { permitted } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";
import { zoneOf } from "./support.ts";

const VERSION = "0.1.0";

/** The entity ids that are not of zones. */
const OTHERS = ["binary_sensor.hall_motion"];

function document(): string {
  return Deno.readTextFileSync(`${ROOT}docs/HOME-ASSISTANT.md`);
}

function blocks(language: string): string[] {
  const block = new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, "gm");
  return Array.from(document().matchAll(block), ([, , code]) => code!);
}

function payloadOf(name: string, title: string) {
  const topics = new Topics();
  const prefix = "homeassistant";
  const discovery = new Discovery({ prefix, topics, version: VERSION });
  const text = discovery.payload(zoneOf(name, { title }), name, PEOPLE);
  return JSON.parse(text);
}

Deno.test({
  name: "the example of a discovery message is the one of the zone",
  ignore: !permitted(),
  fn: () => {
    const [example] = blocks("json");
    assert.deepEqual(JSON.parse(example!), payloadOf("kitchen", "Kitchen"));
  },
});

Deno.test({
  name: "cards and automations are YAML, with the entities of the two rooms",
  ignore: !permitted(),
  fn: () => {
    const yaml = blocks("yaml");
    assert.ok(yaml.length >= 5);
    for (const block of yaml) assert.equal(typeof load(block), "object");
    const known = new Set([
      ...OTHERS,
      ...["kitchen", "hall"].flatMap((name) => {
        const { cmps } = payloadOf(name, name);
        return Object.values<{ def_ent_id: string }>(cmps)
          .map((component) => component.def_ent_id);
      }),
    ]);
    const used = document().match(/\b(?:binary_)?sensor\.\w+/g)!;
    assert.deepEqual(used.filter((id) => !known.has(id)), []);
  },
});
