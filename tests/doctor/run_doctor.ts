/** Runs the doctor, as a command or as a library. */
import type { CheckOptions } from "../../src/doctor/check_context.ts";
import { Topics } from "../../src/protocol/mod.ts";
import { runOccupancy, type SpawnOptions } from "../support/processes.ts";

/** A line of `occupancy doctor --json`. */
export interface Line {
  readonly check: string;
  readonly broker?: string;
  readonly status: string;
  readonly message: string;
  readonly hint?: string;
  readonly data?: Record<string, unknown>;
}

/** What `occupancy doctor --json` printed. */
export interface Diagnosis {
  readonly code: number;
  readonly stderr: string;
  readonly lines: readonly Line[];
  /** The findings of a check, as `status: message`. */
  of(check: string): string[];
}

/** Runs `occupancy doctor --json` until it ends. */
export async function diagnose(
  args: string[],
  options?: SpawnOptions,
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await runOccupancy(
    ["doctor", "--json", ...args],
    options,
  );
  const lines: Line[] = stdout.trimEnd().split("\n").filter(Boolean)
    .map((line) => JSON.parse(line));
  return {
    code,
    stderr,
    lines,
    of: (check) =>
      lines.filter((line) => line.check === check)
        .map(({ status, message }) => `${status}: ${message}`),
  };
}

/** Options of a CheckContext: no broker, no store, any free port. */
export function checkOptions(options: Partial<CheckOptions>): CheckOptions {
  return {
    defaultBroker: { url: "mqtt://127.0.0.1:1" },
    defaultListen: { host: "127.0.0.1", port: 0 },
    defaultHttp: { host: "127.0.0.1", port: 0 },
    topics: new Topics(),
    name: "n",
    subscriptions: [],
    store: "memory:",
    storeParents: false,
    sessionExpiry: 60,
    maxSkew: 1000,
    queue: 1,
    timeout: 5000,
    ...options,
  };
}
