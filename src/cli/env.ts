/** Reads environment variables. */
import { isUndecodable, usageError } from "./errors.ts";

/**
 * Reads an environment variable.
 *
 * @param name its name
 * @returns its value; undefined if it is not set
 * @throws {AppError} (usage) if its value is not valid Unicode
 */
export function env(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (!isUndecodable(error)) throw error;
    throw usageError(
      `The environment variable ${name} is not valid Unicode`,
      `Set it again, in UTF-8, or remove it: unset ${name}.`,
      error,
    );
  }
}
