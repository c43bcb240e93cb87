import assert from "node:assert/strict";
import { ReadProgress } from "../../../../src/cli/commands/client/read_progress.ts";

async function* chunks(...sizes: number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
}

Deno.test({
  name: "ReadProgress counts the percentage of all inputs",
  permissions: "none",
  fn: async () => {
    const read = new ReadProgress();
    const first = read.count(chunks(30, 20), 50);
    const second = read.count(chunks(149, 1, 7), 150);
    assert.equal(read.percent, 0);
    const seen: (number | undefined)[] = [];
    for (const input of [first, second]) {
      for await (const _ of input) seen.push(read.percent);
    }
    assert.deepEqual(seen, [15, 25, 99, 100, 100], "the file may grow");
  },
});

Deno.test({
  name: "ReadProgress has no percentage with a pipe or without bytes",
  permissions: "none",
  fn: () => {
    const read = new ReadProgress();
    read.count(chunks(), 0);
    assert.equal(read.percent, undefined);
    read.count(chunks(1), 1);
    assert.equal(read.percent, 0);
    read.count(chunks(1), undefined);
    read.count(chunks(1), 1);
    assert.equal(read.percent, undefined);
  },
});
