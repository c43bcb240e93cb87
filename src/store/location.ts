/**
 * Where a store is: its address, its default file, its directory.
 *
 * @module
 */
import {
  formatRedisAddress,
  isRedisAddress,
  parseRedisAddress,
  type RedisAddress,
} from "./redis/address.ts";
import {
  isReadOnlyFileSystem,
  readOnlyFileSystemError,
} from "./sqlite_errors.ts";
import { StoreError } from "./store.ts";

/** Begins an address of a file. */
const SQLITE = "sqlite:";
const FORMS =
  "Use sqlite:PATH, such as sqlite:map.db, or memory:, or for several servers redis://HOST:PORT/PREFIX.";

/** The place that an address names. */
export type StoreLocation =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "redis"; readonly address: RedisAddress };

/**
 * Parses the address of a store.
 *
 * @param address `sqlite:PATH`, `memory:`, or an address of Redis
 * @param home the folder for a `~` at the start of the path; undefined if it is
 * not known
 * @throws {RangeError} if it has another form; the message says what to write
 */
export function parseStoreAddress(
  address: string,
  home: string | undefined,
): StoreLocation {
  if (address === "memory:") return { kind: "memory" };
  if (isRedisAddress(address)) {
    return { kind: "redis", address: parseRedisAddress(address) };
  }
  if (!address.startsWith(SQLITE)) throw new RangeError(FORMS);
  const path = address.slice(SQLITE.length);
  if (path === "") throw new RangeError(FORMS);
  // SQLite gives these a meaning of its own, and SQLAlchemy's form has slashes.
  if (/^:memory:|^file:.*[?&]mode=memory/.test(path)) {
    throw new RangeError("Use memory: for a map that is not stored.");
  }
  if (/^(file:|\/\/)/.test(path)) {
    throw new RangeError(
      "Write a path and no URL: sqlite:map.db, or sqlite:/var/lib/map.db.",
    );
  }
  if (!path.startsWith("~")) return { kind: "sqlite", path };
  if (home === undefined || !/^~[\/\\]./.test(path)) {
    throw new RangeError(
      "Write the path of the home folder instead of ~, or sqlite:./~ for a file of that name.",
    );
  }
  return { kind: "sqlite", path: home + path.slice(1) };
}

/** Returns the address of a location, without user and password. */
export function formatStoreAddress(location: StoreLocation): string {
  if (location.kind === "redis") return formatRedisAddress(location.address);
  return location.kind === "memory" ? "memory:" : SQLITE + location.path;
}

/**
 * Returns the default file of a server's map, in the platform's folder for user
 * data (XDG Base Directory Specification 0.8; Apple's File System
 * Programming Guide; Windows' Known Folders).
 *
 * @param name name of the server; each name gets its own file
 * @param os the operating system, as in `Deno.build.os`
 * @param env returns the value of an environment variable
 * @returns the path; undefined if the environment does not define the folder
 */
export function defaultStorePath(
  name: string,
  os: string,
  env: (variable: string) => string | undefined,
): string | undefined {
  const file = `${fileName(name)}.sqlite`;
  if (os === "windows") {
    const base = env("LOCALAPPDATA");
    return base && `${base}\\occupancy\\${file}`;
  }
  const home = env("HOME");
  if (os === "darwin") {
    return home && `${home}/Library/Application Support/occupancy/${file}`;
  }
  const base = env("XDG_DATA_HOME") || (home && `${home}/.local/share`);
  return base && `${base}/occupancy/${file}`.replace(/^\/+/, "/"); // HOME=/
}

/** Returns a valid file name, different for each name (RFC 3986, 2.1). */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll("*", "%2A");
}

/**
 * Creates the directory of a file if it does not exist: only the last folder of
 * its path, and none in `/`. So a mistyped path is an error.
 *
 * @param path the file
 * @param parents true to create all missing folders
 * @throws {StoreError} if the directory cannot be created
 */
export function createDirectoryOf(path: string, parents = false): void {
  const directory = directoryOf(path);
  if (isDirectory(directory)) return;
  const problem = parents ? undefined : missingParentError(directory);
  if (problem !== undefined) throw problem;
  try {
    Deno.mkdirSync(directory, { recursive: parents, mode: 0o700 });
  } catch (error) {
    const message = `Cannot create the directory ${directory}`;
    if (isReadOnlyFileSystem(error)) {
      throw readOnlyFileSystemError(message, error);
    }
    throw new StoreError(message, {
      hint:
        "Check the permissions of its parent, or use another file with --store.",
      cause: error,
    });
  }
}

/**
 * Returns the error for a directory that the server does not create, because it
 * does not create its parent; undefined if it may create the directory.
 *
 * @param directory does not exist
 */
export function missingParentError(directory: string): StoreError | undefined {
  const parent = directoryOf(directory);
  if (parent !== "/" && isDirectory(parent)) return undefined;
  return new StoreError(
    parent === "/"
      ? `Cannot use the directory ${directory}: it does not exist`
      : `Cannot create the directory ${directory}: ${parent} does not exist`,
    {
      hint: `Check the path, or create the directory: mkdir -p ${directory}.`,
    },
  );
}

/** Returns the directory of a path: `.` for a name, `/` at the top. */
export function directoryOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : end === 0 ? "/" : path.slice(0, end);
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
