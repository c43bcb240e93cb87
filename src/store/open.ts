import { type Durability, type Store, StoreError } from "./store.ts";

/**
 * Opens the store that an address names; a file that is not there is made, with
 * its directory.
 *
 * @param address `sqlite:PATH` or `memory:`
 * @throws {StoreError} if there is no such store, or it cannot be used
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
    throw new StoreError(`No such store: ${address}`, {
      hint: "Use --store sqlite:PATH or --store memory:.",
    });
  }
  makeDirectory(path);
  const { SqliteStore } = await import("./sqlite.ts");
  return new SqliteStore({ path, durability });
}

function makeDirectory(path: string): void {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  if (end <= 0) return;
  const directory = path.slice(0, end);
  try {
    Deno.mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new StoreError(`Cannot make the directory ${directory}`, {
      hint: "Check who may write there, or name another file with --store.",
      cause: error,
    });
  }
}
