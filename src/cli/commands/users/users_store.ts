/**
 * Reads and replaces a users file.
 *
 * @module
 */
import {
  parseUsers,
  parseUsersInTurns,
  type Users,
} from "../../../broker/access/users_file.ts";
import { AppError, messageOf } from "../../../common/errors.ts";
import { decodeFile, fileError } from "../../files.ts";

/** Bits of a mode that give rights to the owner and the group. */
const OWNER_AND_GROUP = 0o770;
const OWNER_ONLY = 0o600;

/** A users file at one moment. */
export interface UsersText {
  readonly text: string;
  readonly users: Users;
  /** Undefined if there is no file. */
  readonly info: Deno.FileInfo | undefined;
}

/**
 * Reads a users file.
 *
 * @param path of the file
 * @param mayBeMissing true: a missing file is an empty one
 * @throws {AppError} if it cannot be read, or has errors
 */
export async function readUsersFile(
  path: string,
  mayBeMissing = false,
): Promise<UsersText> {
  try {
    const bytes = await Deno.readFile(path);
    const text = decodeFile(path, bytes);
    const info = await Deno.stat(path);
    return { text, users: await parseUsersInTurns(text, path), info };
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (mayBeMissing && error instanceof Deno.errors.NotFound) {
      return { text: "", users: parseUsers("", path), info: undefined };
    }
    throw fileError(
      path,
      error,
      "Create it: occupancy users add --users FILE NAME.",
    );
  }
}

/**
 * Changes a users file. Readers see the old file or the new one, never a part:
 * it is written beside the old one and then renamed. A new file has mode 0600;
 * an existing one keeps its owner and group, and loses the rights of others.
 *
 * @param path of the file
 * @param change returns the new text; called after the file is locked
 * @throws {AppError} if it cannot be read or written; the old file stays
 */
export async function changeUsersFile(
  path: string,
  change: (file: UsersText) => string,
): Promise<void> {
  await assertNoLink(path);
  // The new file is the lock too: it can be created once.
  const next = `${path}.new`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(next, {
      write: true,
      createNew: true,
      mode: OWNER_ONLY,
    });
  } catch (error) {
    throw lockError(path, next, error);
  }
  try {
    using _ = file;
    const old = await readUsersFile(path, true);
    const text = change(old);
    parseUsers(text, path); // never write what a server would refuse
    await writeAll(file, new TextEncoder().encode(text));
    await takeOver(next, old.info);
    await file.sync();
    await Deno.rename(next, path);
  } catch (error) {
    await Deno.remove(next).catch(() => {}); // it may have been renamed
    if (error instanceof AppError) throw error;
    throw writeError(path, error);
  }
}

/**
 * Renaming would replace a link, not the file that it leads to.
 *
 * @throws {AppError} if the path is a link
 */
async function assertNoLink(path: string): Promise<void> {
  const { isSymlink } = await Deno.lstat(path).catch(() => ({
    isSymlink: false, // it does not exist, or the next step reports why not
  }));
  if (!isSymlink) return;
  throw new AppError(
    "unwritable-file",
    `Cannot write ${path}: it is a symbolic link`,
    { hint: "Name the file to which it leads." },
  );
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    rest = rest.subarray(await file.write(rest));
  }
}

/** Gives the new file the owner, the group and the mode of the old one. */
async function takeOver(
  path: string,
  old: Deno.FileInfo | undefined,
): Promise<void> {
  if (old === undefined || Deno.build.os === "windows") return;
  const { uid, gid } = await Deno.stat(path);
  if (uid !== old.uid || gid !== old.gid) {
    await Deno.chown(path, old.uid, old.gid);
  }
  await Deno.chmod(path, (old.mode ?? OWNER_ONLY) & OWNER_AND_GROUP);
}

function lockError(path: string, next: string, error: unknown): AppError {
  if (!(error instanceof Deno.errors.AlreadyExists)) {
    return writeError(path, error);
  }
  return new AppError(
    "users-file-locked",
    `Cannot change ${path}: ${next} exists`,
    {
      hint:
        `Another occupancy users may be changing it: try again. If none is running, delete ${next}.`,
      cause: error,
    },
  );
}

function writeError(path: string, error: unknown): AppError {
  const hint = error instanceof Deno.errors.NotFound
    ? "Create its folder first."
    : error instanceof Deno.errors.PermissionDenied
    ? "Run the command as the owner of the file and its folder."
    : "The old file is unchanged.";
  return new AppError(
    "unwritable-file",
    `Cannot write ${path}: ${messageOf(error)}`,
    { hint, cause: error },
  );
}
