/** `occupancy doctor` and the store: it says how it is, and leaves it as it was. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { needsImmutable, setImmutable } from "../support/small_disk.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

/** What a folder holds, byte for byte. */
function contents(path: string): Record<string, string> {
  const files = [...Deno.readDirSync(path)].map(({ name, isDirectory }) => {
    const file = `${path}/${name}`;
    return isDirectory
      ? [`${name}/`, ""]
      : [name, Deno.readFileSync(file).toBase64()];
  });
  return Object.fromEntries(files.sort());
}

/** What the doctor says of a store, with no broker near; and that it left all as it was. */
async function storeLine(path: string, folder: string): Promise<string> {
  const before = contents(folder);
  const found = await diagnose([
    ...["--store", `sqlite:${path}`, "--listen", `127.0.0.1:${freePort()}`],
  ]);
  assert.deepEqual(contents(folder), before, "nothing has changed");
  const [line = "", ...more] = found.of("store");
  assert.deepEqual(more, []);
  assert.equal(found.code, line.startsWith("wrong") ? 1 : 0, line);
  return line;
}

/** A store with some cells in it, from a server that was ended in that way. */
async function filledStore(path: string, signal: Deno.Signal): Promise<void> {
  const port = freePort();
  await using server = occupancy([
    ...["server", "--listen", `127.0.0.1:${port}`, "--store", `sqlite:${path}`],
  ]);
  await server.said(/Ready/);
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
    "doctor says of a store that is not there that it can be made, and does not make it",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/a/b/map.sqlite`;
    assert.match(
      await storeLine(path, folder.path),
      /^right: \S+map\.sqlite is not there yet and can be made$/,
    );
  },
});

Deno.test({
  name: "doctor reads a store through, after a clean end and after kill -9",
  ...needs(),
  fn: async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await using folder = await tempDir();
      const path = `${folder.path}/map.sqlite`;
      await filledStore(path, signal);
      assert.match(
        await storeLine(path, folder.path),
        /^right: \S+map\.sqlite holds 4 cells and can be written$/,
        signal,
      );
    }
  },
});

Deno.test({
  name: "doctor says of a store that a running server holds that it is right",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const store = ["--store", `sqlite:${path}`];
    await using server = occupancy(["server", ...listen, ...store]);
    await server.said(/Ready/);
    const found = await diagnose([...listen, ...store]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(
      found.of("store")[0]!,
      /^right: .* in use by a running server/,
    );
    assert.match(found.of("port")[0]!, /^right: .* held by occupancy-server/);
  },
});

Deno.test({
  name: "doctor says what is wrong with a file, and what is no store",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const says = async (content: string | Uint8Array) => {
      await folder.file("map.sqlite", content);
      return await storeLine(path, folder.path);
    };
    assert.match(
      await says("x,y,value\n1,2,1\n and some more text"),
      /^wrong: \S+map\.sqlite is not an occupancy store$/,
    );
    await Deno.remove(path);
    await filledStore(path, "SIGTERM");
    const whole = await Deno.readFile(path);
    const newer = whole.slice();
    new DataView(newer.buffer).setUint32(60, 99); // user_version
    assert.match(
      await says(newer),
      /^wrong: \S+map\.sqlite was written by a newer version/,
    );
    const broken = whole.slice();
    broken.fill(0xff, 4096);
    assert.match(
      await says(broken),
      /^wrong: The store \S+map\.sqlite is damaged/,
    );
    await Deno.remove(path);
    await Deno.mkdir(path);
    assert.match(
      await storeLine(path, folder.path),
      /^wrong: \S+map\.sqlite is a directory$/,
    );
  },
});

Deno.test({
  name: "doctor tells a file and a folder that cannot be written",
  ...needsImmutable(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    await filledStore(path, "SIGTERM");
    setImmutable(path, true);
    try {
      assert.match(
        await storeLine(path, folder.path),
        /^wrong: Not allowed to write to \S+map\.sqlite$/,
      );
    } finally {
      setImmutable(path, false);
    }
    setImmutable(folder.path, true);
    try {
      assert.match(
        await storeLine(`${folder.path}/new.sqlite`, folder.path),
        /^wrong: Not allowed to write in the directory \S+$/,
      );
    } finally {
      setImmutable(folder.path, false);
    }
  },
});

Deno.test({
  name: "doctor finds the store where a server would",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const env = { OCCUPANCY_STORE: "", XDG_DATA_HOME: folder.path };
    const found = await diagnose([...listen, "--name", "hall"], { env });
    assert.match(
      found.of("store")[0]!,
      new RegExp(`^right: ${folder.path}/occupancy/hall\\.sqlite is not there`),
    );
  },
});
