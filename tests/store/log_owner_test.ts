/** A log beside a database that it does not belong to. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";

const DATABASE = "map.sqlite";

/** A folder with a database, its log, and the record of a killed server. */
async function killed() {
  const { recordLogOwner } = await import("../../src/store/log_owner.ts");
  const folder = await tempDir();
  const path = await folder.file(DATABASE, "database");
  await folder.file(`${DATABASE}-wal`, "log");
  recordLogOwner(path);
  return { ...folder, database: path };
}

Deno.test({
  name: "checkLogOwner() rejects the log of the database that was replaced",
  ...needs(),
  fn: async () => {
    const { checkLogOwner } = await import("../../src/store/log_owner.ts");
    await using folder = await killed();
    const path = folder.database;
    checkLogOwner(path);
    await Deno.rename(path, `${path}.old`);
    await folder.file(DATABASE, "another");
    assert.throws(() => checkLogOwner(path), {
      message:
        /it was replaced while a server used it, and .*-wal belongs to the file before/,
      hint: /Move the file before back/,
    });
    await folder.file(`${DATABASE}-wal`, "");
    checkLogOwner(path); // nothing in it
    await folder.file(`${DATABASE}-wal`, "log");
    await Deno.rename(`${path}.old`, path);
    checkLogOwner(path);
  },
});

Deno.test({
  name:
    "checkLogOwner() accepts copies of both files, and files without a record",
  ...needs(),
  fn: async () => {
    const { checkLogOwner } = await import("../../src/store/log_owner.ts");
    await using folder = await killed();
    await using other = await tempDir();
    // The inodes of the originals are in use: the copies have others.
    for (const end of ["", "-wal", "-owner"]) {
      const name = DATABASE + end;
      await Deno.copyFile(`${folder.path}/${name}`, `${other.path}/${name}`);
    }
    checkLogOwner(`${other.path}/${DATABASE}`);
    await folder.file(`${DATABASE}-owner`, "");
    await Deno.rename(`${other.path}/${DATABASE}`, `${folder.path}/new`);
    await Deno.rename(`${folder.path}/new`, folder.database);
    checkLogOwner(folder.database);
  },
});

Deno.test({
  name: "recordLogOwner() writes no file through a link, and only for its user",
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    const { recordLogOwner } = await import("../../src/store/log_owner.ts");
    await using folder = await killed();
    const victim = await folder.file("victim", "unchanged");
    const owner = `${folder.path}/${DATABASE}-owner`;
    await Deno.remove(owner);
    await Deno.symlink(victim, owner);
    recordLogOwner(folder.database);
    assert.equal(await Deno.readTextFile(victim), "unchanged");
    const { mode, isSymlink } = await Deno.lstat(owner);
    assert.equal(isSymlink, false);
    assert.equal(mode! & 0o777, 0o600);
  },
});
