import { permitted } from "./needs.ts";
import { tempDir } from "./temp.ts";

/** A file system of its own that can be filled to the last byte. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
}

const MEGABYTES = 2;
const BLOCK = new Uint8Array(4096);

/** Mounts one, in memory; that takes root on Linux. */
export async function smallDisk(): Promise<SmallDisk> {
  const folder = await tempDir();
  const { path } = folder;
  if (!run("mount", "-t", "tmpfs", "-o", `size=${MEGABYTES}m`, "tmpfs", path)) {
    await folder[Symbol.asyncDispose]();
    throw new Error("Cannot mount a tmpfs: it takes root");
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

/** Forbids writing to a file, whoever has it open, or allows it again. */
export function setImmutable(path: string, immutable: boolean): boolean {
  return run("chattr", immutable ? "+i" : "-i", path);
}

/** The part of a test's definition that says whether it can mount here. */
export function needsMount(): { ignore: boolean } {
  return { ignore: !permitted() || !tryMount() };
}

/** The part of a test's definition that says whether files can be made immutable here. */
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
    return !writes(file); // not every file system minds it
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

/** False if it fails, or if there is no such program. */
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
