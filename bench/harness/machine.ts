/**
 * The machine and the versions of a benchmark run.
 *
 * @module
 */
import { tempDir } from "../../tests/support/temp.ts";
import type { Machine } from "./report.ts";
import { type Spread, spreadOf } from "./statistics.ts";

const SYNCS = 21;
const PAGE_BYTES = 4096;

/** Describes this machine. */
export async function describeMachine(): Promise<Machine> {
  const cpu = /^model name\s*:\s*(.+)$/m.exec(await read("/proc/cpuinfo"))?.[1];
  return {
    cpu: cpu ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    fdatasyncMilliseconds: await measureSync(),
  };
}

/** The versions of the programs and packages; `?` if unknown. */
export async function describeVersions(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(
    await read(new URL("../../import_map.json", import.meta.url)),
  );
  const packageVersion = (name: string) => imports[name].split("@").at(-1);
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    mqtt: packageVersion("mqtt"),
    mosquitto: await programVersion(
      "/usr/sbin/mosquitto",
      ["-h"],
      /version ([\d.]+)/,
    ),
    redis: await programVersion("redis-server", ["--version"], /v=([\d.]+)/),
    paho: await programVersion(
      "/usr/bin/python3",
      ["-c", "import paho.mqtt; print(paho.mqtt.__version__)"],
      /([\d.]+)/,
    ),
  };
}

/** Measures a commit to disk: a page is appended and synced. */
async function measureSync(): Promise<Spread> {
  await using folder = await tempDir();
  using file = await Deno.open(`${folder.path}/sync`, {
    write: true,
    create: true,
  });
  const page = new Uint8Array(PAGE_BYTES);
  const times: number[] = [];
  for (let i = 0; i < SYNCS; i++) {
    await file.write(page);
    const start = performance.now();
    file.syncDataSync();
    times.push(performance.now() - start);
  }
  return spreadOf(times);
}

async function programVersion(
  command: string,
  args: string[],
  pattern: RegExp,
): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return pattern.exec(new TextDecoder().decode(stdout))?.[1] ?? "?";
  } catch {
    return "not installed";
  }
}

async function read(path: string | URL): Promise<string> {
  return await Deno.readTextFile(path);
}
