import { memoryLimit } from "../common/memory.ts";
import { mapMemoryOf, OccupancyMap } from "../grid/mod.ts";
import {
  directoryOf,
  missingParentError,
  parseStoreAddress,
} from "../store/location.ts";
import { copyFiles } from "../store/copy/sqlite_source.ts";
import {
  isReadOnlyFileSystem,
  missingDatabaseError,
  READ_ONLY_FILE_SYSTEM_HINT,
} from "../store/sqlite_errors.ts";
import { StoreError } from "../store/store.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { errorFinding, type Finding, finding } from "./finding.ts";

/** Larger stores are not read: that would take seconds. */
const MAX_READ_BYTES = 64 * 1024 * 1024;

/**
 * Checks that a server can write the store and read its cells. Leaves the store
 * as it is: reads a copy, and creates and removes a file beside it.
 */
export const storeCheck: Check = {
  name: "store",
  run: async (context) => {
    const { store, storeParents } = context.options;
    if (store === undefined) {
      return [
        finding("error", "Cannot choose a file for the map: HOME is not set", {
          hint: "Set --store sqlite:PATH, or --store memory:.",
        }),
      ];
    }
    const location = parseStoreAddress(store, undefined);
    if (location.kind === "memory") {
      return [
        finding("warning", "The map is in memory: it is lost with the server", {
          hint: "Set --store sqlite:PATH to keep it.",
          data: { store },
        }),
      ];
    }
    if (location.kind === "redis") return []; // see redis_check.ts
    const found = await checkFile(location.path, storeParents);
    if (found.status !== "ok") return [found];
    return [await serverProblem(context, location.path) ?? found];
  },
};

/**
 * The problem of a running server with its file: it may have been removed or
 * replaced, so that the file at its path looks right.
 */
async function serverProblem(
  context: CheckContext,
  path: string,
): Promise<Finding | undefined> {
  const state = await context.serverState();
  const { name } = context.options;
  if (
    state?.state !== "online" || state.name !== name ||
    !state.problem?.includes(path)
  ) return undefined;
  return finding("error", `The server ${name} reports: ${state.problem}`, {
    hint: "See docs/OPERATIONS.md, The store.",
    data: { store: context.options.store! },
  });
}

async function checkFile(path: string, parents: boolean): Promise<Finding> {
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
  const problem = await tryCreating(directoryOf(path), parents);
  if (problem !== undefined) return problem;
  if (info === undefined) return await checkMissing(path, data);
  try {
    (await Deno.open(path, { write: true })).close(); // writes nothing
  } catch (error) {
    return finding("error", `Cannot write to ${path}${reasonOf(error)}`, {
      hint: isReadOnlyFileSystem(error)
        ? READ_ONLY_FILE_SYSTEM_HINT
        : "Make the file writable, or choose another with --store.",
    });
  }
  return await checkContent(path, info.size, data);
}

async function checkMissing(
  path: string,
  data: Record<string, string>,
): Promise<Finding> {
  if (await isPresent(`${path}-wal`)) {
    return errorFinding(missingDatabaseError(path));
  }
  return finding("ok", `${path} does not exist yet and can be created`, {
    data,
  });
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
  await using copy = await copyFiles(path);
  try {
    const warnings: string[] = [];
    const store = await copy.open((line) => warnings.push(line));
    try {
      const map = new OccupancyMap();
      const memoryBytes = memoryLimit().bytes;
      const { maxBytes } = mapMemoryOf(memoryBytes);
      store.load(map, { maxBytes, memoryBytes });
      if (warnings.length > 0) {
        return finding("warning", warnings.join("; "), {
          hint:
            "A server would start with the older map: see docs/OPERATIONS.md, The store.",
          data: { ...data, cells: map.size },
        });
      }
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
    return errorFinding(copy.translate(error));
  }
}

/**
 * Creates and removes a file in a directory. If a server would create the
 * directory, uses the nearest existing one above it.
 *
 * @param parents true if a server would create all missing folders
 * @returns a finding if that fails
 */
async function tryCreating(
  directory: string,
  parents: boolean,
): Promise<Finding | undefined> {
  let existing = directory;
  while (!await isPresent(existing) && existing !== directoryOf(existing)) {
    const error = parents ? undefined : missingParentError(existing);
    if (error !== undefined) return errorFinding(error);
    existing = directoryOf(existing);
  }
  const file = `${existing}/.occupancy-doctor-${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(file, new Uint8Array(1), { createNew: true });
    await Deno.remove(file);
    return undefined;
  } catch (error) {
    return finding(
      "error",
      `Cannot create a file in ${existing}${reasonOf(error)}`,
      {
        hint: isReadOnlyFileSystem(error)
          ? READ_ONLY_FILE_SYSTEM_HINT
          : codeOf(error) === "ENOSPC"
          ? "Free some space, or choose another file with --store."
          : "Make the directory writable, or choose another file with --store.",
      },
    );
  }
}

/** The end of a message; empty if the hint says enough. */
function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case "EROFS":
      return ": the file system is read-only";
    case "ENOSPC":
      return ": disk full";
    default:
      return "";
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

async function isPresent(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
