import { OccupancyMap } from "../grid/mod.ts";
import { openStore } from "../store/open.ts";
import { StoreError } from "../store/store.ts";
import type { Check } from "./check.ts";
import {
  type Finding,
  right,
  unseen,
  warning,
  wrong,
  wrongBecause,
} from "./finding.ts";

/** A larger file is not read through, bytes: it would take seconds. */
const MOST_READ = 64 * 1024 * 1024;

/**
 * Whether the map can be kept where a server would keep it. What is there is
 * not touched: a copy is opened, and a file beside it is made and removed.
 */
export const storeCheck: Check = {
  name: "store",
  run: async ({ options: { store } }) => {
    if (store === undefined) {
      return [
        wrong("No place to keep the map: HOME is not set", {
          hint: "Name a file with --store sqlite:PATH, or --store memory:.",
        }),
      ];
    }
    if (store === "memory:") {
      return [
        warning("Nothing is kept: the map ends with the server", {
          hint: "Name a file with --store sqlite:PATH.",
          data: { store },
        }),
      ];
    }
    const path = /^sqlite:(.+)$/.exec(store)?.[1];
    if (path === undefined) {
      return [
        wrong(`No such store: ${store}`, {
          hint: "Use --store sqlite:PATH or --store memory:.",
        }),
      ];
    }
    return [await lookAt(path)];
  },
};

async function lookAt(path: string): Promise<Finding> {
  let info: Deno.FileInfo | undefined;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return forbidden(path);
  }
  if (info?.isDirectory) {
    return wrong(`${path} is a directory`, {
      hint: "Name a file, for example with /occupancy.sqlite added.",
    });
  }
  const folder = folderOf(path);
  const data = { store: `sqlite:${path}` };
  const unwritable = await tryWriting(folder, info !== undefined);
  if (unwritable !== undefined) return unwritable;
  if (info === undefined) {
    return right(`${path} is not there yet and can be made`, { data });
  }
  try {
    (await Deno.open(path, { write: true })).close(); // nothing is written
  } catch {
    return wrong(`Not allowed to write to ${path}`, {
      hint: "Make the file writable, or name another with --store.",
    });
  }
  return await readThrough(path, info.size, data);
}

/** Opens the store as a server does: the file's copy, that nothing may happen to it. */
async function readThrough(
  path: string,
  size: number,
  data: Record<string, string>,
): Promise<Finding> {
  if (await isHeld(path)) {
    return right(`${path} is in use by a running server`, {
      data: { ...data, held: true },
    });
  }
  if (size > MOST_READ) {
    const mb = Math.round(size / 1024 / 1024);
    return unseen(`${path} can be written; its ${mb} MiB were not read`, {
      hint: "A server says at its start whether they are whole.",
      data,
    });
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
      return right(`${path} holds ${map.size} cells and can be written`, {
        data: { ...data, cells: map.size },
      });
    } finally {
      store.close();
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { message, hint } = error;
    return wrongBecause({ message: message.replaceAll(copy, path), hint });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * True if a server has the file. It holds SQLite's lock on it for as long as it
 * runs, and has a `-wal` file beside it; without one there is nothing to ask.
 * Else the question would make one, and a `-shm` file.
 */
async function isHeld(path: string): Promise<boolean> {
  if (!await exists(`${path}-wal`)) return false;
  const hadShm = await exists(`${path}-shm`);
  const { isLocked } = await import("./store_lock.ts");
  const held = isLocked(path);
  // Who reads a file whose server was killed leaves this behind.
  if (!held && !hadShm) await Deno.remove(`${path}-shm`).catch(() => {});
  return held;
}

/** Makes a file in a folder, or above where it is to be made, and removes it. */
async function tryWriting(
  folder: string,
  present: boolean,
): Promise<Finding | undefined> {
  let there = folder;
  while (!present && !await exists(there) && there !== folderOf(there)) {
    there = folderOf(there);
  }
  const probe = `${there}/.occupancy-doctor-${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(probe, new Uint8Array(1), { createNew: true });
    await Deno.remove(probe);
    return undefined;
  } catch (error) {
    const { code } = error as { code?: string };
    return code === "ENOSPC"
      ? wrong(`The disk of ${there} is full`, {
        hint: "Make room, or name another file with --store.",
      })
      : wrong(`Not allowed to write in the directory ${there}`, {
        hint: "Make it writable, or name another file with --store.",
      });
  }
}

function forbidden(path: string): Finding {
  return wrong(`Not allowed to look at ${path}`, {
    hint:
      "Check who may read its directory, or name another file with --store.",
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}

/** The directory that a path lies in. */
function folderOf(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end < 0 ? "." : end === 0 ? "/" : path.slice(0, end);
}
