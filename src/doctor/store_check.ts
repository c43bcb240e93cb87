import { OccupancyMap } from "../grid/mod.ts";
import { openStore } from "../store/open.ts";
import { StoreError } from "../store/store.ts";
import type { Check } from "./check.ts";
import { errorFinding, type Finding, finding } from "./finding.ts";

/** Larger stores are not read: that would take seconds. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/**
 * Checks that a server can write the store and read its cells. Leaves the store
 * as it is: reads a copy, and creates and removes a file beside it.
 */
export const storeCheck: Check = {
  name: "store",
  run: async ({ options: { store } }) => {
    if (store === undefined) {
      return [
        finding("error", "Cannot choose a file for the map: HOME is not set", {
          hint: "Set --store sqlite:PATH, or --store memory:.",
        }),
      ];
    }
    if (store === "memory:") {
      return [
        finding("warning", "The map is in memory: it is lost with the server", {
          hint: "Set --store sqlite:PATH to keep it.",
          data: { store },
        }),
      ];
    }
    const path = /^sqlite:(.+)$/.exec(store)?.[1];
    if (path === undefined) {
      return [
        finding("error", `Unknown store: ${store}`, {
          hint: "Use --store sqlite:PATH or --store memory:.",
        }),
      ];
    }
    return [await checkFile(path)];
  },
};

async function checkFile(path: string): Promise<Finding> {
  let info: Deno.FileInfo | undefined;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      return finding("error", `Cannot read ${path}`, {
        hint:
          "Check the permissions of its directory, or choose another file with --store.",
      });
    }
  }
  if (info?.isDirectory) {
    return finding("error", `${path} is a directory`, {
      hint: `Set a file, for example --store sqlite:${path}/occupancy.sqlite.`,
    });
  }
  const data = { store: `sqlite:${path}` };
  const problem = await tryCreating(parentOf(path), info !== undefined);
  if (problem !== undefined) return problem;
  if (info === undefined) {
    return finding("ok", `${path} does not exist yet and can be created`, {
      data,
    });
  }
  try {
    (await Deno.open(path, { write: true })).close(); // writes nothing
  } catch {
    return finding("error", `Cannot write to ${path}`, {
      hint: "Make the file writable, or choose another with --store.",
    });
  }
  return await checkContent(path, info.size, data);
}

/**
 * Opens a copy of the store as a server would, so that the file stays as it is.
 */
async function checkContent(
  path: string,
  bytes: number,
  data: Record<string, string>,
): Promise<Finding> {
  const { isInUse } = await import("../store/sqlite_lock.ts");
  if (await isInUse(path)) {
    return finding("ok", `${path} is used by a running server`, {
      data: { ...data, held: true },
    });
  }
  if (bytes > MAX_READ_BYTES) {
    const mib = Math.round(bytes / 1024 / 1024);
    return finding(
      "unknown",
      `${path} is writable; its content (${mib} MiB) was not checked`,
      { hint: "A server checks the whole file when it starts.", data },
    );
  }
  const folder = await Deno.makeTempDir({ prefix: "occupancy-doctor-" });
  const copy = `${folder}/store.sqlite`;
  try {
    await Deno.copyFile(path, copy);
    await Deno.copyFile(`${path}-wal`, `${copy}-wal`).catch(() => {});
    const store = await openStore(`sqlite:${copy}`, "commit");
    try {
      const map = new OccupancyMap();
      store.load(map);
      return finding(
        "ok",
        `${path} is writable and contains ${map.size} cells`,
        {
          data: { ...data, cells: map.size },
        },
      );
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const found = errorFinding(error);
    return { ...found, message: found.message.replaceAll(copy, path) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Creates and removes a file in a directory. If the directory does not exist,
 * uses the nearest existing one above it, unless `exists` is true.
 *
 * @returns a finding if that fails
 */
async function tryCreating(
  directory: string,
  exists: boolean,
): Promise<Finding | undefined> {
  let existing = directory;
  while (
    !exists && !await isPresent(existing) && existing !== parentOf(existing)
  ) {
    existing = parentOf(existing);
  }
  const file = `${existing}/.occupancy-doctor-${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(file, new Uint8Array(1), { createNew: true });
    await Deno.remove(file);
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "ENOSPC"
      ? finding("error", `Cannot create a file in ${existing}: disk full`, {
        hint: "Free some space, or choose another file with --store.",
      })
      : finding("error", `Cannot create a file in ${existing}`, {
        hint:
          "Make the directory writable, or choose another file with --store.",
      });
  }
}

async function isPresent(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** The directory of a path. */
function parentOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : end === 0 ? "/" : path.slice(0, end);
}
