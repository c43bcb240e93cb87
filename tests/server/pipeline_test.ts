/** What is committed together. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Incoming } from "../../src/mqtt/link.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { Intake } from "../../src/server/intake.ts";
import { Pipeline } from "../../src/server/pipeline.ts";
import { SourceBook } from "../../src/server/sources.ts";
import { newStats } from "../../src/server/stats.ts";
import type { Entry, Store } from "../../src/store/store.ts";
import { FakeLink } from "../support/fake_link.ts";
import { until } from "../support/until.ts";

const T0 = 1_700_000_000_000;

/** A pipeline, and how many readings each commit had. */
function pipeline() {
  const commits: number[] = [];
  const store: Store = {
    description: "test:",
    durable: true,
    load: () => {},
    commit: (entries: readonly Entry[]) => {
      let readings = 0;
      for (const entry of entries) {
        if (entry.kind === "apply") readings += entry.readings.length;
      }
      commits.push(readings);
    },
    applied: () => {},
    close: () => {},
  };
  const link = new FakeLink();
  const topics = new Topics();
  const made = new Pipeline({
    link,
    store,
    map: new OccupancyMap(),
    topics,
    intake: new Intake(topics, () => {}),
    stats: newStats(),
    sources: new SourceBook(),
    clock: () => T0,
    dateNew: () => T0,
    answer: () => {},
    complain: () => {},
    applied: () => {},
    failing: () => {},
  });
  return { pipeline: made, commits, link };
}

function message(text: string): Incoming {
  const payload = new TextEncoder().encode(text);
  return { topic: "occupancy/data", payload, qos: 1, retain: false };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test({
  name: "push() gathers into one commit what comes turn after turn",
  permissions: "none",
  fn: async () => {
    const { pipeline: made, commits, link } = pipeline();
    for (let i = 0; i < 20; i++) {
      made.push(message(`${i},0,1`));
      await turn();
    }
    await until(() => link.acknowledged.length === 20);
    assert.deepEqual(commits, [20]);
  },
});

Deno.test({
  name: "push() does not wait for more, when nothing comes for a turn",
  permissions: "none",
  fn: async () => {
    const { pipeline: made, commits, link } = pipeline();
    made.push(message("1,1,1"));
    for (let turns = 0; turns < 3; turns++) await turn();
    assert.deepEqual(commits, [1]);
    assert.equal(link.acknowledged.length, 1);
    made.push(message("1,1,1"));
    made.push(message("1,1,1"));
    for (let turns = 0; turns < 3; turns++) await turn();
    assert.deepEqual(commits, [1, 2]);
  },
});

Deno.test({
  name: "push() commits what is enough for a group, though more comes",
  permissions: "none",
  fn: async () => {
    const { pipeline: made, commits } = pipeline();
    const large = message("1,1,1\n".repeat(10_000)); // 60 kB
    for (let i = 0; i < 20; i++) {
      made.push(large);
      await turn();
    }
    await until(() => commits.length >= 4);
    assert.ok(Math.max(...commits) <= 60_000, String(commits));
  },
});
