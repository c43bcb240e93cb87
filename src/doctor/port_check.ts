import { messageOf } from "../common/errors.ts";
import type { Check } from "./check.ts";
import { type CheckContext, type Endpoint, localUrl } from "./check_context.ts";
import { type Finding, finding } from "./finding.ts";

/** A port that a server listens on. */
interface Port {
  /** What the server uses it for, to follow "for". */
  readonly use: string;
  /** The option that sets it. */
  readonly flag: string;
  /** Returns the endpoint; undefined if the server does not use it. */
  readonly endpoint: (context: CheckContext) => Promise<Endpoint | undefined>;
  /** Returns true if the server starts without the port. */
  readonly optional: (context: CheckContext) => boolean;
  /**
   * Returns the occupancy server that uses the port; undefined if none does.
   */
  readonly user: (
    context: CheckContext,
    endpoint: Endpoint,
  ) => Promise<PortUser | undefined>;
}

/** An occupancy server that uses a port. */
interface PortUser {
  /** Its name, or a description, to follow "used by". */
  readonly name: string;
  /** True if it is the server that the doctor checks for. */
  readonly own: boolean;
}

/** All ports of a server. */
const PORTS: readonly Port[] = [
  {
    use: "the embedded broker",
    flag: "--listen",
    endpoint: async (context) => {
      const { listen, defaultListen } = context.options;
      if (listen !== undefined) return listen;
      const { kind } = await context.broker();
      return kind === "none" ? defaultListen : undefined;
    },
    optional: () => false,
    user: runningServer,
  },
  {
    use: "the map over HTTP",
    flag: "--http",
    endpoint: ({ options: { http, defaultHttp } }) =>
      Promise.resolve(http === false ? undefined : http ?? defaultHttp),
    optional: ({ options }) => options.http === undefined,
    user: async (context, endpoint) =>
      await answersHealth(endpoint, context.options.timeout)
        ? await runningServer(context) ??
          { name: "another occupancy server", own: false }
        : undefined,
  },
];

/** Checks that the server's ports are free, or used by this server. */
export const portCheck: Check = {
  name: "port",
  run: async (context) => {
    const findings: Finding[] = [];
    for (const port of PORTS) {
      const endpoint = await port.endpoint(context);
      if (endpoint === undefined) continue;
      findings.push(await tryListening(port, endpoint, context));
    }
    return findings;
  },
};

async function tryListening(
  { use, flag, optional, user }: Port,
  endpoint: Endpoint,
  context: CheckContext,
): Promise<Finding> {
  const { host, port } = endpoint;
  const where = `${host}:${port}`;
  const data = { host, port };
  const problem = (message: string, hint: string) =>
    optional(context)
      ? finding("warning", `${message}: a server starts without ${use}`, {
        hint,
        data,
      })
      : finding("error", message, { hint, data });
  try {
    Deno.listen({ hostname: host, port }).close();
    return finding("ok", `${where} is free for ${use}`, { data });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      const server = await user(context, endpoint);
      const message = `${where} is used by ${
        server?.name ?? "another program"
      }`;
      return server?.own ? finding("ok", message, { data }) : problem(
        message,
        `Choose another with ${flag} HOST:PORT, or stop that program.`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return problem(
        `Cannot listen on ${where}: permission denied`,
        `Ports below 1024 need root. Choose another with ${flag}.`,
      );
    }
    return problem(
      `Cannot listen on ${where}: ${messageOf(error)}`,
      `Set an address of this machine with ${flag}, or 0.0.0.0 for all.`,
    );
  }
}

/** Returns the server that the doctor checks for, if it is running. */
async function runningServer(
  context: CheckContext,
): Promise<PortUser | undefined> {
  const state = await context.serverState();
  if (state?.state !== "online") return undefined;
  return { name: state.name ?? "a running server", own: true };
}

/** True if an occupancy server answers at `/healthz`, which needs no token. */
async function answersHealth(
  endpoint: Endpoint,
  timeout: number,
): Promise<boolean> {
  try {
    const response = await fetch(`${localUrl("http", endpoint)}/healthz`, {
      redirect: "error",
      signal: AbortSignal.timeout(timeout / 2),
    });
    const health: unknown = await response.json();
    return typeof health === "object" && health !== null &&
      "status" in health && health.status === "alive" && "version" in health;
  } catch {
    return false; // no answer, or another program's
  }
}
