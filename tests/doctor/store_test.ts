/** The doctor's check of the store, which changes nothing. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import {
  needsImmutable,
  needsMount,
  remount,
  setImmutable,
  smallDisk,
} from "../support/small_disk.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

/** The files of a folder with their bytes. */
function contents(path: string): Record<string, string> {
  const files = [...Deno.readDirSync(path)].map(({ name, isDirectory }) => {
    const file = `${path}/${name}`;
    return isDirectory
      ? [`${name}/`, ""]
      : [name, Deno.readFileSync(file).toBase64()];
  });
  return Object.fromEntries(files.sort());
}

/**
 * Returns the finding about a store; asserts that the folder did not change.
 */
async function storeLine(path: string, folder: string): Promise<string> {
  const before = contents(folder);
  const found = await diagnose([
    ...["--store", `sqlite:${path}`, "--listen", `127.0.0.1:${freePort()}`],
  ]);
  assert.deepEqual(contents(folder), before, "nothing has changed");
  const [line = "", ...more] = found.of("store");
  assert.deepEqual(more, []);
  assert.equal(found.code, line.startsWith("error") ? 1 : 0, line);
  return line;
}

/** Makes a store with four cells; the server ends with the signal. */
async function filledStore(path: string, signal: Deno.Signal): Promise<void> {
  const port = freePort();
  await using server = occupancy([
    ...["server", "--listen", `127.0.0.1:${port}`, "--store", `sqlite:${path}`],
  ]);
  await server.waitFor(/Ready/);
  const sent = await runOccupancy([
    ...["client", "--broker", `mqtt://127.0.0.1:${port}`, "--no-request"],
    ...["--file", "client2.json"],
  ]);
  assert.equal(sent.code, 0, sent.stderr);
  server.kill(signal);
  await server.ended();
}

Deno.test({
  name:
    "doctor reports that a missing store can be created, and does not create it",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    assert.match(
      await storeLine(`${folder.path}/a/map.sqlite`, folder.path),
      /^ok: \S+map\.sqlite does not exist yet and can be created$/,
    );
    assert.match(
      await storeLine(`${folder.path}/a/b/map.sqlite`, folder.path),
      /^error: Cannot create the directory \S+\/a\/b: \S+\/a does not exist$/,
    );
  },
});

Deno.test({
  name:
    "doctor counts the cells of a store, after a clean exit and after kill -9",
  ...needs(),
  fn: async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await using folder = await tempDir();
      const path = `${folder.path}/map.sqlite`;
      await filledStore(path, signal);
      assert.match(
        await storeLine(path, folder.path),
        /^ok: \S+map\.sqlite is writable and contains 4 cells$/,
        signal,
      );
    }
  },
});

Deno.test({
  name: "doctor accepts a store that a running server uses",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const store = ["--store", `sqlite:${path}`];
    await using server = occupancy(["server", ...listen, ...store]);
    await server.waitFor(/Ready/);
    const found = await diagnose([...listen, ...store]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(
      found.of("store")[0]!,
      /^ok: .* used by a running server/,
    );
    assert.match(found.of("port")[0]!, /^ok: .* used by occupancy-server/);
  },
});

Deno.test({
  name: "doctor reports a damaged store, and a file of another program",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const findingOf = async (content: string | Uint8Array) => {
      await folder.file("map.sqlite", content);
      return await storeLine(path, folder.path);
    };
    assert.match(
      await findingOf("x,y,value\n1,2,1\n and some more text"),
      /^error: Cannot open \S+map\.sqlite: it is not an occupancy store$/,
    );
    await Deno.remove(path);
    await filledStore(path, "SIGTERM");
    const whole = await Deno.readFile(path);
    const newer = whole.slice();
    new DataView(newer.buffer).setUint32(60, 99); // user_version
    assert.match(
      await findingOf(newer),
      /^error: Cannot open \S+map\.sqlite: a newer version of occupancy/,
    );
    const broken = whole.slice();
    broken.fill(0xff, 4096);
    assert.match(
      await findingOf(broken),
      /^error: Cannot read \S+map\.sqlite: the file is damaged/,
    );
    await Deno.remove(path);
    await Deno.mkdir(path);
    assert.match(
      await storeLine(path, folder.path),
      /^error: \S+map\.sqlite is a directory$/,
    );
  },
});

Deno.test({
  name: "doctor reports a file and a folder that are not writable",
  ...needsImmutable(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    await filledStore(path, "SIGTERM");
    setImmutable(path, true);
    try {
      assert.match(
        await storeLine(path, folder.path),
        /^error: Cannot write to \S+map\.sqlite$/,
      );
    } finally {
      setImmutable(path, false);
    }
    setImmutable(folder.path, true);
    try {
      assert.match(
        await storeLine(`${folder.path}/new.sqlite`, folder.path),
        /^error: Cannot create a file in \S+$/,
      );
    } finally {
      setImmutable(folder.path, false);
    }
  },
});

Deno.test({
  name:
    "doctor and server name a read-only file system, not permissions, as the reason",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    await filledStore(path, "SIGTERM");
    remount(disk.path, "ro");
    try {
      for (const file of [path, `${disk.path}/a/new.sqlite`]) {
        const store = ["--store", `sqlite:${file}`];
        const found = await diagnose([
          ...[...store, "--listen", `127.0.0.1:${freePort()}`],
        ]);
        assert.match(
          found.of("store")[0]!,
          /^error: Cannot create a file in \S+: the file system is read-only$/,
        );
        const { hint } = found.lines.find(({ check }) => check === "store")!;
        assert.match(hint!, /^Mount it for writing/);
        const { code, stderr } = await runOccupancy([
          ...["server", "--listen", "127.0.0.1:0", ...store],
        ]);
        assert.equal(code, 1);
        assert.match(stderr, /its file system is read-only$/m);
        assert.match(stderr, /hint: Mount it for writing/);
      }
    } finally {
      remount(disk.path, "rw");
    }
  },
});

Deno.test({
  name: "doctor checks the store that a server would use by default",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const env = { OCCUPANCY_STORE: "", XDG_DATA_HOME: folder.path };
    const found = await diagnose([...listen, "--name", "hall"], { env });
    assert.match(
      found.of("store")[0]!,
      new RegExp(`^ok: ${folder.path}/occupancy/hall\\.sqlite does not exist`),
    );
  },
});
