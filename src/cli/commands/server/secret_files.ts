/** Warnings for files with secrets that other users of the machine can read. */
import { redactUrl } from "../../../mqtt/url.ts";
import type { ServerFlags } from "./options.ts";

/**
 * Docker mounts its secrets here, readable by all programs of the container
 * only.
 */
const CONTAINER_SECRETS = "/run/secrets/";

/**
 * Warns if all users can read a file with a secret.
 *
 * @param path the file, which exists
 * @param what the secret in it, for people
 * @param warn called with a line for the log
 */
export async function warnIfReadable(
  path: string,
  what: string,
  warn: (line: string) => void,
): Promise<void> {
  if (path.startsWith(CONTAINER_SECRETS)) return;
  const { mode } = await Deno.stat(path);
  if (mode === null || (mode & 0o004) === 0) return; // null on Windows
  warn(
    `All users of this machine can read the ${what} in ${path}. Protect it: chmod 600 ${path}`,
  );
}

/**
 * Warns if all users can read the configuration file, and it contains the
 * password of the broker.
 *
 * @param warn called with a line for the log
 */
export async function checkConfigFile(
  { config, broker }: Pick<ServerFlags, "config" | "broker">,
  warn: (line: string) => void,
): Promise<void> {
  if (config === undefined || broker === undefined) return;
  const hasPassword = redactUrl(broker) !== broker;
  if (!hasPassword) return;
  const text = await Deno.readTextFile(config);
  if (text.includes(broker)) {
    await warnIfReadable(config, "password of the broker", warn);
  }
}
