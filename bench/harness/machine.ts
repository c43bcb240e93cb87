import { withFolder } from "./folder.ts";
import type { Machine } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const SYNCS = 21;

/** What this machine is. */
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

/** The versions of all that takes part, where they can be had. */
export async function describeVersions(): Promise<Record<string, string>> {
  const { imports } = JSON.parse(
    await read(new URL("../../deno.json", import.meta.url)),
  );
  const packageOf = (name: string) => imports[name]?.split("@").at(-1) ?? "?";
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    mqtt: packageOf("mqtt"),
    aedes: packageOf("aedes"),
    mosquitto: await ask("/usr/sbin/mosquitto", ["-h"], /version ([\d.]+)/),
    redis: await ask("redis-server", ["--version"], /v=([\d.]+)/),
    paho: await ask(
      "/usr/bin/python3",
      ["-c", "import paho.mqtt; print(paho.mqtt.__version__)"],
      /([\d.]+)/,
    ),
  };
}

/** What a commit to disk costs here: a page appended and forced out. */
async function measureSync(): Promise<Machine["fdatasyncMilliseconds"]> {
  return await withFolder(async (folder) => {
    using file = await Deno.open(`${folder}/sync`, {
      write: true,
      create: true,
    });
    const page = new Uint8Array(4096);
    const times: number[] = [];
    for (let i = 0; i < SYNCS; i++) {
      await file.write(page);
      const start = performance.now();
      file.syncDataSync();
      times.push(performance.now() - start);
    }
    return spreadOf(times);
  });
}

async function ask(
  command: string,
  args: string[],
  pattern: RegExp,
): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(command, { args }).output();
    return pattern.exec(new TextDecoder().decode(stdout))?.[1] ?? "?";
  } catch {
    return "not here";
  }
}

async function read(path: string | URL): Promise<string> {
  return await Deno.readTextFile(path);
}
