/**
 * Reads the settings of `occupancy server` for HTTP and the files that they
 * name.
 */
import { isLoopback } from "../../../feed/hosts.ts";
import { dirname, resolve } from "node:path";
import { AppError } from "../../../common/errors.ts";
import type { ConnectionLimits, Plan, Token } from "../../../http/mod.ts";
import { DEFAULT_HTTP } from "../../arguments/addresses.ts";
import { announceDownload } from "../../download_notice.ts";
import { usageError } from "../../errors.ts";
import { fileError, readText } from "../../files.ts";
import { warnIfReadable } from "../../secret_files.ts";
import { connectionBudget, descriptorLimit } from "./descriptor_limit.ts";
import type { ServerFlags } from "./options.ts";

/** Address and token. */
export interface HttpSettings {
  readonly host: string;
  readonly port: number;
  /**
   * True if `--http` is not set. If that address is in use, the server runs
   * without HTTP.
   */
  readonly isDefault: boolean;
  readonly token: Token | undefined;
  /** Origins whose pages may show the dashboard in a frame. */
  readonly embedOrigins: readonly string[];
  /** Budgets of connections. */
  readonly connectionLimits: ConnectionLimits;
}

const IMAGE_HINT =
  "Check the path; paths in a map file are relative to its folder.";

/**
 * Reads and checks the settings for HTTP.
 *
 * @param warn called with warnings for the log
 * @returns undefined for no HTTP
 * @throws {AppError} if a file is unusable, or the address requires a token
 */
export async function readHttpSettings(
  flags: ServerFlags,
  warn: (line: string) => void,
): Promise<HttpSettings | undefined> {
  if (flags.http === false || flags.noHttp) return undefined;
  announceDownload(["prom-client", "ws"], flags);
  const { host, port } = flags.http ?? DEFAULT_HTTP;
  const { httpTokenFile, httpEmbed = [] } = flags;
  if (!isLoopback(host) && httpTokenFile === undefined) {
    throw usageError(
      `Cannot serve HTTP on ${host}:${port} without a token: other machines can reach it`,
      "Create a token (openssl rand -hex 32 > token; chmod 600 token) and add --http-token-file token, or listen on 127.0.0.1.",
    );
  }
  return {
    host,
    port,
    isDefault: flags.http === undefined,
    token: httpTokenFile === undefined
      ? undefined
      : await readToken(httpTokenFile, warn),
    embedOrigins: httpEmbed,
    connectionLimits: {
      connections: connectionBudget(
        "HTTP",
        flags.httpConnections,
        await descriptorLimit(),
        warn,
      ),
      connectionsPerAddress: flags.httpConnectionsPerAddress,
    },
  };
}

/**
 * Reads a token.
 *
 * @param warn called with a line if other users can read the file
 * @throws {AppError} if the file cannot be read, or is not a token
 */
export async function readToken(
  path: string,
  warn: (line: string) => void,
): Promise<Token> {
  const text = (await readText(path)).trim();
  await warnIfReadable(path, "token", warn);
  const { Token } = await import("../../../http/mod.ts");
  try {
    return new Token(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(
      `${path}: ${error.message}`,
      "Create a token with: openssl rand -hex 32 > token; chmod 600 token",
      error,
    );
  }
}

/** @throws {AppError} if the file, or an image it names, is unusable */
export async function readPlans(
  path: string,
): Promise<ReadonlyMap<string, Plan>> {
  announceDownload(["fast-png", "image-size", "js-yaml"]);
  const { readPlans, PlanError } = await import(
    "../../../http/plans/read_plans.ts"
  );
  try {
    return await readPlans(path, {
      read: (name, maxBytes) =>
        name === undefined
          ? readBytes(path, maxBytes)
          : readBytes(resolve(dirname(path), name), maxBytes, IMAGE_HINT),
    });
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    throw usageError(`${path}: ${error.message}`, error.hint, error);
  }
}

async function readBytes(
  path: string,
  maxBytes: number,
  hint?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await Deno.stat(path);
    if (size > maxBytes) {
      throw usageError(
        `${path} has ${size} bytes, the maximum is ${maxBytes}`,
        "Use a smaller file.",
      );
    }
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw fileError(path, error, hint);
  }
}
