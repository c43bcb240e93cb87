import { messageOf } from "../common/errors.ts";
import type { Check } from "./check.ts";
import { type Endpoint, type Examination, urlOf } from "./examination.ts";
import { type Finding, right, warning, wrong } from "./finding.ts";

/** A port that a server listens on. */
interface Port {
  /** Where; undefined if it would not be used. */
  readonly of: (examination: Examination) => Promise<Endpoint | undefined>;
  /** What for, to follow "for". */
  readonly use: string;
  /** What chooses another. */
  readonly flag: string;
  /** Whether a server that cannot have it goes on, since nobody asked for it. */
  readonly spared: (examination: Examination) => boolean;
  /** Who of ours has it; undefined if it is another program. */
  readonly holder: (
    examination: Examination,
    endpoint: Endpoint,
  ) => Promise<Holder | undefined>;
}

/** A server of ours that has a port already. */
interface Holder {
  /** In words, to follow "held by". */
  readonly words: string;
  /** Whether it is the one that is examined. */
  readonly own: boolean;
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
    spared: () => false,
    holder: serverThere,
  },
  {
    use: "the map over HTTP",
    flag: "--http",
    of: ({ options: { http, usualHttp } }) =>
      Promise.resolve(http === false ? undefined : http ?? usualHttp),
    spared: ({ options }) => options.http === undefined,
    holder: async (examination, endpoint) =>
      await isOurs(endpoint, examination.options.timeout)
        ? await serverThere(examination) ??
          { words: "another occupancy server", own: false }
        : undefined,
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
  { use, flag, spared, holder }: Port,
  endpoint: Endpoint,
  examination: Examination,
): Promise<Finding> {
  const { host, port } = endpoint;
  const where = `${host}:${port}`;
  const data = { host, port };
  const bad = (message: string, hint: string) =>
    spared(examination)
      ? warning(`${message}: a server does without ${use}`, { hint, data })
      : wrong(message, { hint, data });
  try {
    Deno.listen({ hostname: host, port }).close();
    return right(`${where} is free for ${use}`, { data });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      const held = await holder(examination, endpoint);
      if (held?.own) {
        return right(`${where} is held by ${held.words}`, { data });
      }
      return bad(
        held === undefined
          ? `${where} is in use by another program`
          : `${where} is held by ${held.words}`,
        `Choose another with ${flag} HOST:PORT, or end that program.`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return bad(
        `Not allowed to listen on ${where}`,
        `Ports below 1024 are for root: choose another with ${flag}.`,
      );
    }
    const message = messageOf(error);
    return bad(
      `Cannot listen on ${where}: ${message}`,
      `Name an address of this machine with ${flag}, or 0.0.0.0 for all.`,
    );
  }
}

/** The server that is examined, if it runs. */
async function serverThere(
  examination: Examination,
): Promise<Holder | undefined> {
  const state = await examination.serverState();
  if (state?.state !== "online") return undefined;
  return { words: state.name ?? "a running server", own: true };
}

/** True if who listens there answers as our servers do; it asks for no token. */
async function isOurs(endpoint: Endpoint, timeout: number): Promise<boolean> {
  try {
    const response = await fetch(`${urlOf("http", endpoint)}/healthz`, {
      redirect: "error",
      signal: AbortSignal.timeout(timeout / 2),
    });
    const health: unknown = await response.json();
    return typeof health === "object" && health !== null &&
      "status" in health && health.status === "alive" && "version" in health;
  } catch {
    return false; // it does not answer, or with something else
  }
}
