import { messageOf } from "../../../common/errors.ts";
import { dirname, resolve } from "node:path";
import type { HttpServer, Plan, Token } from "../../../http/mod.ts";
import { CliError, Exit } from "../../exit.ts";
import type { ServerFlags } from "../../arguments/flags.ts";
import { httpContext, type ServerParts } from "./http_context.ts";
import { explainFile, readText } from "../../arguments/broker_address.ts";

/** Where HTTP is served unless told otherwise. */
export const DEFAULT_HTTP = { host: "127.0.0.1", port: 8080 };

/** The HTTP side of a server that runs. */
export interface Http {
  /** Where it is, e.g. `http://127.0.0.1:8080/`. */
  readonly url: string;
  /** Ends streams and viewers, finishes what is under way. Safe to call twice. */
  close(): Promise<void>;
}

/** What the flags say of HTTP, read and checked before anything is started. */
export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /** False if nobody asked for this address: the server can do without. */
  readonly asked: boolean;
  readonly token: Token | undefined;
  readonly plans: ReadonlyMap<string, Plan>;
}

/**
 * Reads what the flags say of HTTP.
 *
 * @returns undefined for no HTTP
 * @throws {CliError} if a file cannot be used, or the address needs a token
 */
export async function httpSettings(
  flags: ServerFlags,
): Promise<HttpSettings | undefined> {
  if (flags.http === false || flags.noHttp) return undefined;
  const { isLoopback } = await import("../../../http/mod.ts");
  const { host, port } = flags.http ?? DEFAULT_HTTP;
  if (!isLoopback(host) && flags.httpTokenFile === undefined) {
    throw new CliError(
      `--http ${host}:${port} could be asked by other machines, and there is no token`,
      {
        exitCode: Exit.usage,
        hint:
          "Put a secret into a file (openssl rand -hex 32 > token) and add --http-token-file token; or listen on 127.0.0.1.",
      },
    );
  }
  return {
    host,
    port,
    asked: flags.http !== undefined,
    token: await readToken(flags.httpTokenFile),
    plans: await readMapFile(flags.mapFile),
  };
}

/**
 * Starts to answer over HTTP.
 *
 * @param settings what {@linkcode httpSettings} read
 * @param parts the server; it need not have started yet
 * @param warn told of what the person who runs the server should know
 * @returns undefined if the default address is taken
 * @throws {CliError} if it cannot listen where it was asked to
 */
export async function openHttp(
  { host, port, asked, token, plans }: HttpSettings,
  parts: ServerParts,
  warn: (line: string) => void,
): Promise<Http | undefined> {
  const { HttpServer } = await import("../../../http/mod.ts");
  const ending = new AbortController();
  const context = httpContext(parts, plans, ending.signal);
  let server: HttpServer;
  try {
    server = new HttpServer({
      hostname: host,
      port,
      token,
      context,
      onFault: warn,
    });
  } catch (error) {
    const failure = explainListen(host, port, error);
    if (asked) throw failure;
    warn(`No HTTP: ${failure.message}. ${failure.hint}`);
    return undefined;
  }
  const { address } = server;
  const shown = address.hostname.includes(":")
    ? `[${address.hostname}]`
    : address.hostname;
  return {
    url: `http://${shown}:${address.port}/`,
    close: async () => {
      ending.abort();
      await server.close();
    },
  };
}

function explainListen(host: string, port: number, error: unknown): CliError {
  const at = `${host}:${port}`;
  if (error instanceof Deno.errors.AddrInUse) {
    return new CliError(`Something else listens on ${at} already`, {
      hint: "Choose another port with --http, or --no-http.",
      cause: error,
    });
  }
  const reason = messageOf(error);
  return new CliError(`Cannot listen on ${at}: ${reason}`, {
    hint: "Name an address of this machine with --http HOST:PORT.",
    cause: error,
  });
}

async function readToken(path: string | undefined): Promise<Token | undefined> {
  if (path === undefined) return undefined;
  const text = (await readText(path)).trim();
  const { Token } = await import("../../../http/mod.ts");
  try {
    return new Token(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError(`${path}: ${error.message}`, {
      exitCode: Exit.usage,
      hint: "Make one with: openssl rand -hex 32 > token",
      cause: error,
    });
  }
}

async function readMapFile(
  path: string | undefined,
): Promise<ReadonlyMap<string, Plan>> {
  if (path === undefined) return new Map();
  const { readPlans, PlanError } = await import("../../../http/plans/read.ts");
  try {
    return await readPlans(path, {
      read: (name, maxBytes) =>
        readBytes(
          name === undefined ? path : resolve(dirname(path), name),
          maxBytes,
        ),
    });
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw new CliError(`${path}: ${error.message}`, {
      exitCode: Exit.usage,
      hint: error.hint,
      cause: error,
    });
  }
}

/** A file, if it is not longer than it may be. */
async function readBytes(
  path: string,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await Deno.stat(path);
    if (size > maxBytes) {
      throw new CliError(`${path} has ${size} bytes, more than ${maxBytes}`, {
        exitCode: Exit.usage,
        hint: "Use a smaller file.",
      });
    }
    return await Deno.readFile(path);
  } catch (error) {
    throw error instanceof CliError ? error : explainFile(
      path,
      error,
      "Check the path; what a map file names is taken from its own folder.",
    );
  }
}
