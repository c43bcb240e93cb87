import { permitted } from "./needs.ts";
import { tempDir } from "./temp.ts";

/** A small file system that a test can fill. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Fills all free space. */
  fill(): Promise<void>;
  /** Frees the space. */
  free(): Promise<void>;
}

const DEFAULT_SIZE_MIB = 2;
const BLOCK = new Uint8Array(4096);

/**
 * Mounts a tmpfs, which needs root on Linux.
 *
 * @param mib its size, in MiB
 */
export async function smallDisk(mib = DEFAULT_SIZE_MIB): Promise<SmallDisk> {
  const folder = await tempDir();
  const { path } = folder;
  if (!run("mount", "-t", "tmpfs", "-o", `size=${mib}m`, "tmpfs", path)) {
    await folder[Symbol.asyncDispose]();
    throw new Error("Cannot mount a tmpfs: it needs root");
  }
  const filler = `${path}/filler`;
  return {
    path,
    fill: async () => {
      using file = await Deno.open(filler, { create: true, append: true });
      try {
        for (;;) await file.write(BLOCK);
      } catch {
        // Full.
      }
    },
    free: () => Deno.remove(filler),
    [Symbol.asyncDispose]: async () => {
      run("umount", "--lazy", path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Makes a mounted file system read-only or writable. */
export function remount(path: string, mode: "ro" | "rw"): void {
  if (!run("mount", "-o", `remount,${mode}`, path)) {
    throw new Error(`Cannot remount ${path}`);
  }
}

/**
 * Forbids all writes to a file, also through open descriptors, or allows them.
 */
export function setImmutable(path: string, immutable: boolean): boolean {
  return run("chattr", immutable ? "+i" : "-i", path);
}

/** Ignores a test if the machine cannot mount a tmpfs. */
export function needsMount(): { ignore: boolean } {
  return { ignore: !permitted() || !tryMount() };
}

/** Ignores a test if the machine cannot make files immutable. */
export function needsImmutable(): { ignore: boolean } {
  return { ignore: !permitted() || !tryImmutable() };
}

function tryMount(): boolean {
  const path = Deno.makeTempDirSync({ prefix: "occupancy-test-" });
  const mounted = run("mount", "-t", "tmpfs", "tmpfs", path);
  if (mounted) run("umount", path);
  Deno.removeSync(path);
  return mounted;
}

function tryImmutable(): boolean {
  const path = Deno.makeTempFileSync({ prefix: "occupancy-test-" });
  using file = Deno.openSync(path, { write: true });
  try {
    if (!setImmutable(path, true)) return false;
    return !writes(file); // some file systems ignore the flag
  } finally {
    setImmutable(path, false);
    Deno.removeSync(path);
  }
}

function writes(file: Deno.FsFile): boolean {
  try {
    return file.writeSync(BLOCK) > 0;
  } catch {
    return false;
  }
}

/** Runs a program. Returns false if it fails or does not exist. */
function run(command: string, ...args: string[]): boolean {
  try {
    const { success } = new Deno.Command(command, {
      args,
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}
