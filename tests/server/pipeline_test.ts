/** Which messages the pipeline commits as one group. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Pipeline } from "../../src/server/pipeline.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeStore } from "../support/fake_store.ts";
import { until } from "../support/until.ts";
import { fakeContext } from "./support.ts";

/** A pipeline and the number of readings of each commit. */
function start() {
  const commits: number[] = [];
  const link = new FakeLink();
  const store = new FakeStore();
  store.onCommit = (readings) => commits.push(readings);
  const pipeline = new Pipeline(fakeContext({ link, store }), {
    add: () => {},
  }, {
    onReceive: () => {},
    onRequest: () => {},
    onLayerGone: () => {},
    onApplied: () => {},
    onStoreProblem: () => {},
  });
  return { pipeline, commits, link };
}

const message = (text: string) => incoming("occupancy/data", text);

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

Deno.test({
  name: "Pipeline.push() commits messages of successive turns as one group",
  permissions: "none",
  fn: async () => {
    const { pipeline, commits, link } = start();
    for (let i = 0; i < 20; i++) {
      pipeline.push(message(`${i},0,1`));
      await turn();
    }
    await until(() => link.acknowledged.length === 20);
    assert.deepEqual(commits, [20]);
  },
});

Deno.test({
  name: "Pipeline.push() commits after a turn without messages",
  permissions: "none",
  fn: async () => {
    const { pipeline, commits, link } = start();
    pipeline.push(message("1,1,1"));
    for (let turns = 0; turns < 3; turns++) await turn();
    assert.deepEqual(commits, [1]);
    assert.equal(link.acknowledged.length, 1);
    pipeline.push(message("1,1,1"));
    pipeline.push(message("1,1,1"));
    for (let turns = 0; turns < 3; turns++) await turn();
    assert.deepEqual(commits, [1, 2]);
  },
});

Deno.test({
  name: "Pipeline.push() commits a large group while messages keep arriving",
  permissions: "none",
  fn: async () => {
    const { pipeline, commits } = start();
    const large = message("1,1,1\n".repeat(10_000)); // 60 kB
    for (let i = 0; i < 20; i++) {
      pipeline.push(large);
      await turn();
    }
    await until(() => commits.length >= 4);
    assert.ok(Math.max(...commits) <= 60_000, String(commits));
  },
});
