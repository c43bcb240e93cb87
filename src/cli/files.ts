/** Reads text files, and describes why a file cannot be read. */
import { joinBytes } from "../common/bytes.ts";
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
 * Reads a file, or stdin for `-`.
 *
 * @param path of the file
 * @param maxBytes after more than this, the rest is not read
 * @throws {AppError} if it cannot be read
 */
export async function readInput(
  path: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const stream = path === "-"
      ? Deno.stdin.readable
      : (await Deno.open(path)).readable;
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch (error) {
    throw fileError(path, error);
  }
  return joinBytes(chunks);
}

/**
 * Replaces a file. Readers see the old content or the new one, never a part: it
 * is written beside the file, to `PATH.new`, and then renamed. What is no plain
 * file, such as a link or a device, is written to.
 *
 * @throws {AppError} if it cannot be written; the old file stays
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  try {
    const before = await Deno.lstat(path).catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (before !== undefined && !before.isFile) {
      await Deno.writeFile(path, bytes);
      return;
    }
    const next = `${path}.new`;
    try {
      await Deno.writeFile(next, bytes, {
        createNew: true,
        ...(before?.mode != null && { mode: before.mode & 0o777 }),
      });
      await Deno.rename(next, path);
    } catch (error) {
      // Another export of the same file may be writing it.
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        await Deno.remove(next).catch(() => {});
      }
      throw error;
    }
  } catch (error) {
    throw new AppError(
      "unwritable-file",
      `Cannot write ${path}: ${writeProblem(path, error)}`,
      {
        hint: error instanceof Deno.errors.AlreadyExists
          ? `If no other program is writing it, delete ${path}.new.`
          : "Choose another file, or check the permissions of its folder.",
        cause: error,
      },
    );
  }
}

function writeProblem(path: string, error: unknown): string {
  if (error instanceof Deno.errors.AlreadyExists) {
    return `there is a file ${path}.new already`;
  }
  if (error instanceof Deno.errors.NotFound) return "there is no such folder";
  if (
    error instanceof Deno.errors.IsADirectory ||
    (error as { code?: string }).code === "EISDIR"
  ) return "it is a directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotCapable) {
    return "Deno was started without the permission";
  }
  return messageOf(error);
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
