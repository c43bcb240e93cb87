import { memoryLimit } from "../common/memory.ts";
import { describeMapMemory, mapMemoryOf } from "../grid/mod.ts";
import type { Check } from "./check.ts";
import { finding } from "./finding.ts";

/** Reads the memory of a server on this machine. */
export const memoryCheck: Check = {
  name: "memory",
  run: () => {
    const memory = memoryLimit();
    const { growBytes } = mapMemoryOf(memory.bytes);
    const data = { memoryBytes: memory.bytes, mapBytes: growBytes };
    const description = describeMapMemory(memory);
    const message = description[0]!.toUpperCase() + description.slice(1);
    return Promise.resolve([
      memory.by === "unknown"
        ? finding("unknown", message, {
          hint: "Run Deno with --allow-sys=systemMemoryInfo.",
          data,
        })
        : finding("ok", message, { data }),
    ]);
  },
};
