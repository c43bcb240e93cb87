/** The memory of a process, and what of it a map may use. */
import assert from "node:assert/strict";
import { memoryLimit } from "../../src/common/memory.ts";
import {
  describeMapMemory,
  mapMemoryOf,
  neededMemory,
} from "../../src/grid/mod.ts";
import { createMemoryGroup } from "../support/memory_group.ts";
import { needs } from "../support/needs.ts";
import { Running } from "../support/processes.ts";

const MIB = 1024 * 1024;

Deno.test({
  name: "without permission the memory is unknown, 1 GiB is assumed",
  permissions: "none",
  fn() {
    const memory = memoryLimit();
    assert.deepEqual(memory, { bytes: 1024 * MIB, by: "unknown" });
    assert.match(
      describeMapMemory(memory),
      /^the memory is unknown, 1024 MiB are assumed: the map may use 384 MiB/,
    );
  },
});

Deno.test({
  name: "half of the memory is for the map, at least 16 MiB",
  permissions: "none",
  fn() {
    assert.equal(mapMemoryOf(512 * MIB).growBytes, 128 * MIB);
    assert.equal(mapMemoryOf(512 * MIB).maxBytes, 192 * MIB);
    assert.equal(mapMemoryOf(64 * MIB).growBytes, 16 * MIB);
    assert.equal(neededMemory(192 * MIB), 512 * MIB);
  },
});

Deno.test({
  name: "the memory of a process is that of its control group",
  ...needs("sh"),
  fn: async () => {
    await using group = createMemoryGroup(300 * MIB);
    if (group === undefined) return; // only where this user may create one
    const module = new URL("../../src/common/memory.ts", import.meta.url);
    const code =
      `import { memoryLimit } from "${module}"; console.log(JSON.stringify(memoryLimit()));`;
    await using process = new Running("sh", [
      ...group.enter,
      Deno.execPath(),
      ...["eval", "--no-config", "--no-lock", code],
    ]);
    const { stdout, stderr } = await process.ended();
    assert.deepEqual(
      JSON.parse(stdout),
      { bytes: 300 * MIB, by: "control group" },
      stderr,
    );
  },
});
