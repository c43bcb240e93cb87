/** Reads files with secrets, and warns if other users can read them. */
import { usageError } from "./errors.ts";
import { readText } from "./files.ts";

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
 * @param warn called with a line for people
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
 * Reads a password. A line break at the end is not part of it.
 *
 * @param path the file of `--password-file`
 * @param warn called with a line if other users can read the file
 * @throws {AppError} if the file cannot be read, is empty, or has several lines
 */
export async function readPassword(
  path: string,
  warn: (line: string) => void,
): Promise<string> {
  const password = (await readText(path)).replace(/\r?\n$/, "");
  const problem = password === ""
    ? "it is empty"
    : /[\r\n]/.test(password)
    ? "it has more than one line"
    : undefined;
  if (problem !== undefined) {
    throw usageError(
      `Cannot read a password from ${path}: ${problem}`,
      "Write the password alone into the file, without the user.",
    );
  }
  await warnIfReadable(path, "password", warn);
  return password;
}
