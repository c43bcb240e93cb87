/**
 * Runs a command with limited memory: in a control group of Linux, where this
 * user may create one.
 *
 * @module
 */

/** Version 2, and the controller of version 1. */
const ROOTS = [
  { path: "/sys/fs/cgroup", limit: "memory.max", swap: "memory.swap.max" },
  {
    path: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    swap: undefined,
  },
] as const;

/** A control group. It is removed at the end of its scope. */
export interface MemoryGroup extends AsyncDisposable {
  /** Runs a shell command in the group: `sh -c` with these arguments. */
  readonly enter: readonly string[];
}

/**
 * Creates a control group.
 *
 * @param bytes the memory of all its processes
 * @returns undefined if that is not possible on this machine
 */
export function createMemoryGroup(bytes: number): MemoryGroup | undefined {
  for (const { path, limit, swap } of ROOTS) {
    const group = `${path}/occupancy-test-${crypto.randomUUID()}`;
    try {
      Deno.statSync(`${path}/cgroup.procs`);
      Deno.mkdirSync(group);
    } catch {
      continue;
    }
    try {
      Deno.writeTextFileSync(`${group}/${limit}`, String(bytes));
      if (swap !== undefined) Deno.writeTextFileSync(`${group}/${swap}`, "0");
      return {
        enter: ["-c", `echo $$ > ${group}/cgroup.procs && exec "$@"`, "sh"],
        [Symbol.asyncDispose]: () => remove(group),
      };
    } catch {
      Deno.removeSync(group);
    }
  }
  return undefined;
}

/** The processes of the group must have ended. */
async function remove(group: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      return Deno.removeSync(group);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20)); // still ending
    }
  }
}
