/**
 * The tables of docs/BROKER.md: limits, their options and defaults, and the
 * topics below `$SYS` are those of the code.
 */
import assert from "node:assert/strict";
import type { OptionSpec } from "../../src/cli/arguments/spec.ts";
import { COMMANDS } from "../../src/cli/commands/mod.ts";
import { SERVER } from "../../src/cli/commands/server/options.ts";
import { LIMIT_NAMES } from "../../src/common/limit_counts.ts";
import {
  brokerCounters,
  brokerGauges,
} from "../../src/http/metrics/broker_metrics.ts";
import { Counters } from "../../src/broker/sys/counters.ts";
import { SysTopics } from "../../src/broker/sys/sys_topics.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

const CODE = /`([^`]+)`/g;

/** Returns the cells of the table of a section. */
async function tableOf(section: string): Promise<string[][]> {
  const text = await Deno.readTextFile(`${ROOT}docs/BROKER.md`);
  const [, part = ""] = text.split(`\n## ${section}\n`);
  const lines = part.split("\n## ")[0]!.split("\n");
  return lines.filter((line) => line.startsWith("|")).slice(2).map((line) =>
    line.slice(1, -1).split("|").map((cell) => cell.trim())
  );
}

function codesOf(text: string): string[] {
  return [...text.matchAll(CODE)].map(([, code]) => code!);
}

/** `7 days`, `128 MiB` and `10,000` as the option writes them. */
function asOption(text: string): string {
  return text.replaceAll(",", "").replace(" days", "d").replace(" MiB", "MiB");
}

Deno.test({
  name: "BROKER.md: each limit has its option and its default",
  ...needs(),
  fn: async () => {
    const rows = await tableOf("Limits");
    const options = new Map<string, OptionSpec>(
      SERVER.options.map((option) => [option.name, option]),
    );
    const named = new Set<string>();
    for (const [limit, value = "", option = ""] of rows) {
      for (const code of codesOf(option)) {
        const known = options.get(code.slice(2));
        assert.ok(known, `${limit}: ${code}`);
        named.add(code.slice(2));
        const [preset = ""] = (known.default ?? known.unset ?? "").split(",");
        if (!/^\d/.test(preset)) continue;
        assert.equal(asOption(value).split(/ |\(/)[0], preset, `${limit}`);
      }
    }
    const all = [...options.keys()].filter((name) => name.startsWith("mqtt-"));
    assert.deepEqual([...named].sort(), all.sort());
  },
});

Deno.test({
  name: "BROKER.md: each limit of the broker is in the table",
  ...needs(),
  fn: async () => {
    const rows = await tableOf("Limits");
    const named = rows.flatMap(([, , , metric = ""]) => codesOf(metric));
    const all = LIMIT_NAMES.filter((name) => name.startsWith("mqtt-"));
    assert.deepEqual([...new Set(named)].sort(), [...all].sort());
  },
});

Deno.test({
  name: "BROKER.md: the topics below $SYS, and their metrics",
  ...needs(),
  fn: async () => {
    const rows = await tableOf("`$SYS`");
    const state = {
      ...{ clients: 0, sessions: 0, subscriptions: 0, retainedMessages: 0 },
      ...{ retainedBytes: 0, queuedMessages: 0, queuedBytes: 0 },
      unsentBytes: 0,
    };
    const counts = new Counters();
    const topics: string[] = [];
    new SysTopics({
      ...{ version: "1.0.0", counts, state: () => state },
      publish: (topic) => topics.push(topic.slice("$SYS/broker/".length)),
    }).publish();
    assert.deepEqual(rows.map(([topic = ""]) => codesOf(topic)[0]), topics);
    const link = () => ({
      ...{ description: "", mqttVersion: 5 as const, up: true, since: 0 },
      ...{ problem: undefined, brokerCounts: counts, brokerState: state },
      connections: [],
    });
    const metrics = new Set([
      ...brokerCounters(link).map(({ name }) => name),
      ...brokerGauges(link).map(({ name }) => name),
      "occupancy_build_info",
    ]);
    for (const [topic, , metric = ""] of rows) {
      for (const name of codesOf(metric)) {
        assert.ok(metrics.has(name), `${topic}: ${name}`);
      }
    }
  },
});

Deno.test({
  name: "BROKER.md names options that exist",
  ...needs(),
  fn: async () => {
    const text = await Deno.readTextFile(`${ROOT}docs/BROKER.md`);
    const known = new Set<string>();
    for (const { loadSpec } of COMMANDS) {
      const { options } = await loadSpec();
      for (const { name } of options) known.add(`--${name}`);
    }
    for (const code of codesOf(text)) {
      const [option = ""] = code.split(/[ =]/);
      // Those of Mosquitto's programs.
      if (!option.startsWith("--") || option === "--cafile") continue;
      assert.ok(known.has(option), option);
    }
  },
});
