/** What a person is told whose store cannot be used: a sentence, a hint, exit code 1. */
import assert from "node:assert/strict";
import { assertTold } from "../support/assert_failure.ts";
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

/** Permissions mean nothing to root, unless it gives up the right to pass them. */
const WITHOUT_OVERRIDE = [
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];

/** One that makes all cells older, at 0 ms since 1970: kind 1, then zeros. */
const AGE_ENTRY = `01${"00".repeat(15)}`;

Deno.test({
  name: "a foreign, a newer or a damaged file: told, and left as it was",
  ...needs(),
  fn: async () => {
    const { DatabaseSync } = await import("node:sqlite");
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    const change = (sql: string) => {
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
    };
    const refused = async (sentence: RegExp) => {
      const before = await Deno.readFile(path);
      assertTold(await start(path), 1, sentence, /It was left as it is\. \S/);
      assert.deepEqual(await Deno.readFile(path), before);
    };

    await Deno.writeTextFile(path, "x,y,value\n".repeat(500));
    await refused(/^occupancy: \/.*map.sqlite is not an occupancy store$/m);
    await Deno.remove(path);
    change("CREATE TABLE recipes (name TEXT)");
    await refused(/is not an occupancy store/);
    await Deno.remove(path);

    await makeStore(path);
    change("PRAGMA user_version = 7");
    await refused(/map.sqlite was written by a newer version of occupancy$/m);
    change("PRAGMA user_version = 2; DELETE FROM journal");
    change("INSERT INTO journal (entries) VALUES (x'00112233')");
    await refused(/The store .*map.sqlite is damaged: Cannot read entry/);
    // Good entries before the bad one must not be folded over all there is.
    change(
      `DELETE FROM journal; INSERT INTO journal (entries) VALUES
         (x'${AGE_ENTRY}'), (x'00112233')`,
    );
    await refused(/The store .*map.sqlite is damaged: Cannot read entry/);
    change("DELETE FROM journal; UPDATE meta SET value = 1.5");
    await refused(/The store .*map.sqlite is damaged/);
    await Deno.truncate(path, 6000);
    await refused(/The store .*map.sqlite is damaged: .*malformed/);
  },
});

Deno.test({
  name: "a store that another server uses: told, and the other goes on",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const path = `${folder.path}/map.sqlite`;
    await using first = occupancy(argsOf(path));
    await first.said(/Ready/);
    assertTold(
      await start(path),
      1,
      /^occupancy: Another server is using \/.*map.sqlite$/m,
      /--store/,
    );
    first.kill("SIGTERM");
    assert.equal((await first.ended()).code, 0);
  },
});

Deno.test({
  name: "a store of an address that is none: told, with the two that there are",
  ...needs(),
  fn: async () => {
    for (const store of ["map.sqlite", "redis://localhost", "sqlite:", ""]) {
      assertTold(
        await runOccupancy(["server", "--store", store]),
        2,
        /^occupancy: Invalid --store "/m,
        /sqlite:PATH.* memory:/,
      );
    }
  },
});

Deno.test({
  name: "a place that may not be written to: told, whatever it is",
  ignore: !permitted() || !mayDropPrivilege(),
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
      assertTold(
        await startAsAnybody(path),
        1,
        /^occupancy: Cannot open \/.*map.sqlite$/m,
        /directory is there and writable/,
      );
      assertTold(
        await startAsAnybody(`${folder.path}/deeper/map.sqlite`),
        1,
        /^occupancy: Cannot make the directory \/.*deeper$/m,
        /who may write there/,
      );
    }
    await makeStore(path);
    const readOnly =
      /^occupancy: Cannot write to \/.*map.sqlite: it is read-only$/m;
    {
      await using _ = await forbid(0o444, path);
      assertTold(await startAsAnybody(path), 1, readOnly, /writable/);
    }
    {
      await using _ = await forbid(0o555, folder.path);
      assertTold(await startAsAnybody(path), 1, readOnly, /writable/);
    }
    {
      await using _ = await forbid(0o000, path);
      assertTold(
        await startAsAnybody(path),
        1,
        /^occupancy: Cannot open \/.*map.sqlite$/m,
        /who may read and write it/,
      );
    }
    assertTold(await start(folder.path), 1, /is a directory$/m, /Name a file/);
  },
});

Deno.test({
  name: "a disk that is full at the start: told, and nothing is lost",
  ...needsMount(),
  fn: async () => {
    await using disk = await smallDisk();
    const path = `${disk.path}/map.sqlite`;
    await makeStore(path);
    await disk.fill();
    const full = /^occupancy: The disk is full: cannot write to \/.*\.sqlite$/m;
    assertTold(await start(path), 1, full, /Make room/);
    assertTold(await start(`${disk.path}/other.sqlite`), 1, full, /Make room/);
    await disk.free();
    await using server = occupancy(argsOf(path));
    await server.said(/Map: 1000 cells/);
  },
});

function argsOf(path: string): string[] {
  return ["server", "--listen", "127.0.0.1:0", "--store", `sqlite:${path}`];
}

function start(path: string): Promise<Ended> {
  return runOccupancy(argsOf(path));
}

/** A store with a thousand cells. */
async function makeStore(path: string): Promise<void> {
  await using server = occupancy(argsOf(path));
  const [, port] = await server.said(/127\.0\.0\.1:(\d+)/);
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

function mayDropPrivilege(): boolean {
  if (Deno.build.os === "windows") return false;
  if (Deno.uid() !== 0) return true;
  try {
    return new Deno.Command("setpriv", { args: [...WITHOUT_OVERRIDE, "true"] })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** Starts a server that is bound to what the permissions of files say. */
async function startAsAnybody(path: string): Promise<Ended> {
  if (Deno.uid() !== 0) return await start(path);
  await using running = new Running("setpriv", [
    ...WITHOUT_OVERRIDE,
    `${ROOT}occupancy`,
    ...argsOf(path),
  ]);
  return await running.ended();
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
