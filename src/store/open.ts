/**
 * Opens a store by its address, and chooses the default file.
 *
 * @module
 */
import { type Durability, type Store, StoreError } from "./store.ts";

/**
 * Opens a store. Creates the file and its directory if they do not exist.
 *
 * @param address `sqlite:PATH` or `memory:`
 * @param durability what committed entries survive; `memory:` ignores it
 * @throws {StoreError} if the address is invalid or the file cannot be used
 */
export async function openStore(
  address: string,
  durability: Durability,
): Promise<Store> {
  if (address === "memory:") {
    const { MemoryStore } = await import("./memory.ts");
    return new MemoryStore();
  }
  const path = /^sqlite:(.+)$/.exec(address)?.[1];
  if (path === undefined) {
    throw new StoreError(`Cannot open the store "${address}": unknown type`, {
      hint: "Use --store sqlite:PATH or --store memory:.",
    });
  }
  createDirectoryOf(path);
  const { SqliteStore } = await import("./sqlite.ts");
  return new SqliteStore({ path, durability });
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
  return base && `${base}/occupancy/${file}`;
}

/** Returns a valid file name, different for each name (RFC 3986, 2.1). */
function fileName(name: string): string {
  return encodeURIComponent(name).replaceAll("*", "%2A");
}

function createDirectoryOf(path: string): void {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (end <= 0) return;
  const directory = path.slice(0, end);
  try {
    Deno.mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new StoreError(`Cannot create the directory ${directory}`, {
      hint:
        "Check the permissions of its parent, or use another file with --store.",
      cause: error,
    });
  }
}
