/** Reads text files, and describes why a file cannot be read. */
import { AppError, messageOf } from "../common/errors.ts";

/**
 * Reads a text file.
 *
 * @throws {AppError} if it cannot be read, or is not UTF-8
 */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw fileError(path, error);
  }
  return decodeFile(path, bytes);
}

/**
 * Decodes the content of a file, with or without a byte order mark. Bytes that
 * are not UTF-8 would make different names the same.
 *
 * @throws {AppError} if it is not UTF-8
 */
export function decodeFile(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw unreadable(
      `Cannot read ${path}: it is not valid UTF-8`,
      "Save the file as UTF-8.",
      error,
    );
  }
}

/**
 * Describes why a file cannot be read.
 *
 * @param path as the user wrote it
 * @param error what was thrown
 * @param hint what to do if there is no such file
 */
export function fileError(
  path: string,
  error: unknown,
  hint = "Check the path; it is relative to the current directory.",
): AppError {
  if (error instanceof Deno.errors.NotFound) {
    return unreadable(`No such file: ${path}`, hint, error);
  }
  if (
    error instanceof Deno.errors.IsADirectory ||
    (error as { code?: string }).code === "EISDIR"
  ) {
    return unreadable(
      `Cannot read ${path}: it is a directory`,
      "Name a file.",
      error,
    );
  }
  if (error instanceof Deno.errors.NotCapable) {
    return unreadable(
      `Cannot read ${path}: Deno was started without the permission`,
      "The launcher permits the files that the options name, and the folder of the map file: move the file there, or run deno with --allow-read.",
      error,
    );
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return unreadable(
      `Cannot read ${path}: permission denied`,
      "Check the permissions of the file.",
      error,
    );
  }
  return unreadable(
    `Cannot read ${path}: ${messageOf(error)}`,
    undefined,
    error,
  );
}

function unreadable(
  message: string,
  hint: string | undefined,
  cause: unknown,
): AppError {
  return new AppError("unreadable-file", message, { hint, cause });
}
