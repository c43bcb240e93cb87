import type { Check } from "./check.ts";
import type { Endpoint, Examination } from "./examination.ts";
import { type Finding, right, wrong } from "./finding.ts";

/** A port that a server listens on. */
interface Port {
  /** Where; undefined if it would not be used. */
  readonly of: (examination: Examination) => Promise<Endpoint | undefined>;
  /** What for, to follow "for". */
  readonly use: string;
  /** What chooses another. */
  readonly flag: string;
}

/** All of them: add one here, and it is checked. */
const PORTS: readonly Port[] = [
  {
    use: "the embedded broker",
    flag: "--listen",
    of: async (examination) => {
      const { listen, usualListen } = examination.options;
      if (listen !== undefined) return listen;
      const { kind } = await examination.joining();
      return kind === "none" ? usualListen : undefined;
    },
  },
];

/** Whether the ports that a server listens on are free, or its own already. */
export const portCheck: Check = {
  name: "port",
  run: async (examination) => {
    const findings: Finding[] = [];
    for (const port of PORTS) {
      const endpoint = await port.of(examination);
      if (endpoint === undefined) continue;
      findings.push(await look(port, endpoint, examination));
    }
    return findings;
  },
};

async function look(
  { use, flag }: Port,
  { host, port }: Endpoint,
  examination: Examination,
): Promise<Finding> {
  const where = `${host}:${port}`;
  const data = { host, port };
  try {
    Deno.listen({ hostname: host, port }).close();
    return right(`${where} is free for ${use}`, { data });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      const state = await examination.serverState();
      if (state?.state === "online") {
        return right(
          `${where} is held by ${state.name ?? "a running server"}`,
          {
            data,
          },
        );
      }
      return wrong(`${where} is in use by another program`, {
        hint: `Choose another with ${flag} HOST:PORT, or end that program.`,
        data,
      });
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return wrong(`Not allowed to listen on ${where}`, {
        hint: `Ports below 1024 are for root: choose another with ${flag}.`,
        data,
      });
    }
    const message = error instanceof Error ? error.message : String(error);
    return wrong(`Cannot listen on ${where}: ${message}`, {
      hint: `Name an address of this machine with ${flag}, or 0.0.0.0 for all.`,
      data,
    });
  }
}
