/** Errors of a server whose store is unusable: message, hint, exit code. */
import assert from "node:assert/strict";
import { cacheFolder } from "../../src/cli/download_notice.ts";
import { assertFailure } from "../support/assert_failure.ts";
import { needs, permitted } from "../support/needs.ts";
import {
  type Ended,
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../support/processes.ts";
import { needsMount, smallDisk } from "../support/small_disk.ts";
import { tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { execSql } from "./support.ts";

/** Options of setpriv: root without the right to bypass file permissions. */
const WITHOUT_OVERRIDE = [
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

/** An encoded entry `age` at 0 ms since 1970: kind 1, then zeros. */
const AGE_ENTRY = `01${"00".repeat(15)}`;

Deno.test({
  name:
    "a server rejects a foreign, newer or damaged file and does not change it",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const assertRejected = async (message: RegExp) => {
      const before = await Deno.readFile(path);
      assertFailure(
        await start(path),
        1,
        message,
        /The file was not changed\. \S/,
      );
      assert.deepEqual(await Deno.readFile(path), before);
    };

    await Deno.writeTextFile(path, "x,y,value\n".repeat(500));
    await assertRejected(
      /^occupancy: Cannot open \/.*map.sqlite: it is not an occupancy store$/m,
    );
    await Deno.remove(path);
    await execSql(path, "CREATE TABLE recipes (name TEXT)");
    await assertRejected(/is not an occupancy store/);
    await Deno.remove(path);

    await makeStore(path);
    await execSql(path, "PRAGMA user_version = 7");
    await assertRejected(/map.sqlite: a newer version of occupancy wrote it$/m);
    await execSql(path, "PRAGMA user_version = 5; DELETE FROM journal");
    await execSql(path, "INSERT INTO journal (entries) VALUES (x'00112233')");
    await assertRejected(/map.sqlite: the file is damaged \(Cannot read entry/);
    // The valid entry before the invalid one must not start a checkpoint.
    await execSql(
      path,
      `DELETE FROM journal; INSERT INTO journal (entries) VALUES
         (x'${AGE_ENTRY}'), (x'00112233')`,
    );
    await assertRejected(/map.sqlite: the file is damaged \(Cannot read entry/);
    await execSql(path, "DELETE FROM journal; UPDATE meta SET value = 1.5");
    await assertRejected(/map.sqlite: the file is damaged/);
    await Deno.truncate(path, 6000);
    await assertRejected(/map.sqlite: the file is damaged \(.*malformed/);
  },
});

Deno.test({
  name: "a server rejects a store that another server is using",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    await using first = occupancy(argsOf(path));
    await first.waitFor(/Ready/);
    assertFailure(
      await start(path),
      1,
      /^occupancy: Cannot open \/.*map.sqlite: another server is using it$/m,
      /--store/,
    );
    first.kill("SIGTERM");
    assert.equal((await first.ended()).code, 0);
  },
});

Deno.test({
  name: "a server rejects an invalid store address and lists the valid forms",
  ...needs(),
  fn: async () => {
    for (const store of ["map.sqlite", "postgres://localhost", "sqlite:", ""]) {
      assertFailure(
        await runOccupancy(["server", "--store", store]),
        2,
        /^occupancy: Invalid --store "/m,
        /sqlite:PATH.* memory:/,
      );
    }
  },
});

Deno.test({
  name:
    "a server rejects addresses that look like files of a store and are none",
  ...needs(),
  fn: async () => {
    for (
      const [path, hint] of [
        [":memory:", /Use memory: for a map that is not stored/],
        ["file:map.db?mode=memory", /Use memory:/],
        ["file:map.db", /Write a path and no URL/],
        ["//map.db", /Write a path and no URL/],
        ["~map/x", /home folder instead of ~/],
      ] as const
    ) {
      assertFailure(
        await start(path),
        2,
        /^occupancy: Invalid --store "sqlite:/m,
        hint,
      );
    }
  },
});

Deno.test({
  name: "--store sqlite:~/map.db names a file in the home folder",
  ...needs(),
  fn: async () => {
    await using home = await tempDir();
    const env = { HOME: home.path, DENO_DIR: denoDir() };
    await using server = occupancy(argsOf("~/maps/map.db"), { env });
    const line = new RegExp(`Map: 0 cells in sqlite:${home.path}/maps/map.db`);
    await server.waitFor(line);
    assert.ok(exists(`${home.path}/maps/map.db`));
    assert.ok(!exists(`${ROOT}~`));
  },
});

Deno.test({
  name: "a server creates the last folder of a store's path, and no other",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    assertFailure(
      await start(`${folder.path}/vra/lib/map.db`),
      1,
      /^occupancy: Cannot create the directory .*lib: .*vra does not exist$/m,
      /mkdir -p/,
    );
    assert.ok(!exists(`${folder.path}/vra`));
    const top = `/occupancy-test-${crypto.randomUUID()}`;
    assertFailure(
      await start(`${top}/map.db`),
      1,
      /^occupancy: Cannot use the directory .*: it does not exist$/m,
      /mkdir -p/,
    );
    assert.ok(!exists(top));
  },
});

Deno.test({
  name: "a server without --store creates all folders of its default file",
  ...needs(),
  fn: async () => {
    await using home = await tempDir();
    const env = {
      HOME: home.path,
      XDG_DATA_HOME: "",
      DENO_DIR: denoDir(),
      OCCUPANCY_STORE: "",
    };
    await using server = occupancy(["server", "--listen", "127.0.0.1:0"], {
      env,
    });
    await server.waitFor(/Ready/);
    assert.ok(exists(`${home.path}/.local/share/occupancy`));
  },
});

Deno.test({
  name: "a server rejects a file or directory without permission to write",
  ignore: !permitted() || !canRunUnprivileged(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const forbid = async (mode: number, of: string) => {
      const { mode: before } = await Deno.stat(of);
      await Deno.chmod(of, mode);
      return {
        [Symbol.asyncDispose]: () => Deno.chmod(of, before! & 0o777),
      };
    };
    {
      await using _ = await forbid(0o555, folder.path);
      assertFailure(
        await startUnprivileged(path),
        1,
        /^occupancy: Cannot open \/.*map.sqlite$/m,
        /directory exists and is writable/,
      );
      assertFailure(
        await startUnprivileged(`${folder.path}/deeper/map.sqlite`),
        1,
        /^occupancy: Cannot create the directory \/.*deeper$/m,
        /permissions of its parent/,
      );
    }
    await makeStore(path);
    const readOnly =
      /^occupancy: Cannot write to \/.*map.sqlite: it is read-only$/m;
    {
      await using _ = await forbid(0o444, path);
      assertFailure(await startUnprivileged(path), 1, readOnly, /writable/);
    }
    {
      await using _ = await forbid(0o555, folder.path);
      assertFailure(await startUnprivileged(path), 1, readOnly, /writable/);
    }
    {
      await using _ = await forbid(0o000, path);
      assertFailure(
        await startUnprivileged(path),
        1,
        /^occupancy: Cannot open \/.*map.sqlite$/m,
        /permissions of the file/,
      );
    }
    assertFailure(
      await start(folder.path),
      1,
      /it is a directory$/m,
      /For example, use/,
    );
  },
});

Deno.test({
  name: "a server does not start on a full disk and loses nothing",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    await makeStore(path);
    await disk.fill();
    const full = /^occupancy: Cannot write to \/.*\.sqlite: the disk is full$/m;
    assertFailure(await start(path), 1, full, /Free some space/);
    assertFailure(
      await start(`${disk.path}/other.sqlite`),
      1,
      full,
      /Free some space/,
    );
    await disk.free();
    await using server = occupancy(argsOf(path));
    await server.waitFor(/Map: 1000 cells/);
  },
});

function argsOf(path: string): string[] {
  return ["server", "--listen", "127.0.0.1:0", "--store", `sqlite:${path}`];
}

function start(path: string): Promise<Ended> {
  return runOccupancy(argsOf(path));
}

/** Makes a store with 1,000 cells. */
async function makeStore(path: string): Promise<void> {
  await using server = occupancy(argsOf(path));
  const [, port] = await server.waitFor(/127\.0\.0\.1:(\d+)/);
  const rows = Array.from({ length: 1000 }, (_, i) => `${i},${i},1`);
  const sent = await runOccupancy(
    ["client", "--broker", `mqtt://127.0.0.1:${port}`, "--file", "-"],
    { input: rows.join("\n") },
  );
  assert.equal(sent.code, 0, sent.stderr);
  server.kill("SIGTERM");
  assert.equal((await server.ended()).code, 0);
  await until(() => !exists(`${path}-wal`));
}

function canRunUnprivileged(): boolean {
  if (Deno.build.os === "windows") return false;
  if (Deno.uid() !== 0) return true;
  try {
    return new Deno.Command("setpriv", { args: [...WITHOUT_OVERRIDE, "true"] })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** Starts a server to which file permissions apply, also under root. */
async function startUnprivileged(path: string): Promise<Ended> {
  if (Deno.uid() !== 0) return await start(path);
  await using running = new Running("setpriv", [
    ...WITHOUT_OVERRIDE,
    `${ROOT}occupancy`,
    ...argsOf(path),
  ]);
  return await running.ended();
}

/** The cache of packages, for a process with another home folder. */
function denoDir(): string {
  const folder = cacheFolder(Deno.build.os, (name) => Deno.env.get(name));
  if (folder === undefined) {
    throw new Error("The folder of the cache is unknown");
  }
  return folder;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
