import { messageOf } from "../../common/errors.ts";
import { brokerUrl } from "../../mqtt/url.ts";
import type { BrokerFlags } from "./flags.ts";
import { CliError, Exit } from "../exit.ts";

/** The broker that is meant when none is named. */
export const DEFAULT_BROKER = "mqtt://localhost:1883";

/** Where the embedded broker listens unless told otherwise. */
export const DEFAULT_LISTEN = { host: "127.0.0.1", port: 1883 };

/** The broker that the flags name. @throws {LinkError} if it is no address */
export function brokerOf(flags: BrokerFlags): string {
  return brokerUrl(flags.broker ?? DEFAULT_BROKER);
}

/** The certificate authority that the flags name, as an option of a connection. */
export async function caOf(flags: BrokerFlags): Promise<{ ca?: string }> {
  if (flags.ca === undefined) return {};
  return { ca: await readText(flags.ca) };
}

/** A client id that nobody else has. */
export function uniqueName(role: string): string {
  return `occupancy-${role}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Says in words for people why a file cannot be read. */
export function explainFile(
  path: string,
  error: unknown,
  hint = "Check the path; it is taken from the current directory.",
): CliError {
  const options = { exitCode: Exit.failure, cause: error };
  if (error instanceof Deno.errors.NotFound) {
    return new CliError(`No such file: ${path}`, {
      ...options,
      hint,
    });
  }
  if (
    error instanceof Deno.errors.IsADirectory ||
    (error as { code?: string }).code === "EISDIR"
  ) {
    return new CliError(`Not a file but a directory: ${path}`, options);
  }
  if (
    error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable
  ) {
    return new CliError(`Not allowed to read ${path}`, {
      ...options,
      hint: "Check who may read the file.",
    });
  }
  const message = messageOf(error);
  return new CliError(`Cannot read ${path}: ${message}`, options);
}

/** A file as text. @throws {CliError} if it cannot be read */
export async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw explainFile(path, error);
  }
}
