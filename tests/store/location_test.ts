/** Addresses of stores, and which directories a server creates for them. */
import assert from "node:assert/strict";
import {
  createDirectoryOf,
  defaultStorePath,
  formatStoreAddress,
  parseStoreAddress,
} from "../../src/store/location.ts";
import { StoreError } from "../../src/store/store.ts";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";

Deno.test({
  name: "parseStoreAddress() reads memory: and paths, and formats them again",
  permissions: "none",
  fn: () => {
    for (
      const address of [
        "memory:",
        "sqlite:map.db",
        "sqlite:/a b/c",
        "sqlite:./~/x",
        "sqlite:a~b",
        "sqlite:C:\\maps\\map.db",
        "sqlite:\\\\host\\share\\map.db",
      ]
    ) {
      const location = parseStoreAddress(address, undefined);
      assert.equal(formatStoreAddress(location), address);
    }
  },
});

Deno.test({
  name: "parseStoreAddress() rejects SQLite's names of databases in memory",
  permissions: "none",
  fn: () => {
    for (const path of [":memory:", "file:x?mode=memory", "file::memory:"]) {
      assert.throws(
        () => parseStoreAddress(`sqlite:${path}`, undefined),
        /^RangeError: (Use memory:|Write a path)/,
        path,
      );
    }
  },
});

Deno.test({
  name: "parseStoreAddress() rejects URLs instead of paths",
  permissions: "none",
  fn: () => {
    for (const path of ["file:map.db", "//map.db", "///var/map.db"]) {
      assert.throws(
        () => parseStoreAddress(`sqlite:${path}`, undefined),
        /^RangeError: Write a path and no URL/,
        path,
      );
    }
  },
});

Deno.test({
  name: "parseStoreAddress() replaces ~ by the home folder, or rejects it",
  permissions: "none",
  fn: () => {
    assert.deepEqual(parseStoreAddress("sqlite:~/x/map.db", "/home/me"), {
      kind: "sqlite",
      path: "/home/me/x/map.db",
    });
    for (const path of ["~", "~/", "~you/map.db", "~map.db"]) {
      assert.throws(
        () => parseStoreAddress(`sqlite:${path}`, "/home/me"),
        /^RangeError: Write the path of the home folder/,
        path,
      );
    }
    assert.throws(() => parseStoreAddress("sqlite:~/x", undefined), RangeError);
  },
});

Deno.test({
  name: "defaultStorePath() returns a path that parseStoreAddress() accepts",
  permissions: "none",
  fn: () => {
    for (const home of ["/", "/home/me", "/home/me/"]) {
      const path = defaultStorePath(
        "hall 2",
        "linux",
        (name) => name === "HOME" ? home : undefined,
      );
      assert.ok(path?.endsWith("/.local/share/occupancy/hall%202.sqlite"));
      parseStoreAddress(`sqlite:${path}`, undefined);
    }
  },
});

Deno.test({
  name:
    "createDirectoryOf() creates the last folder only, or all if it may create the parents",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const names = () => [...Deno.readDirSync(folder.path)].map((e) => e.name);
    assert.throws(
      () => createDirectoryOf(`${folder.path}/vra/lib/map.db`),
      (error) =>
        error instanceof StoreError &&
        /^Cannot create the directory .*lib: .*vra does not exist$/
          .test(error.message) &&
        /mkdir -p .*vra\/lib/.test(error.hint!),
    );
    assert.deepEqual(names(), []);
    createDirectoryOf(`${folder.path}/maps/map.db`);
    createDirectoryOf(`${folder.path}/maps/map.db`);
    createDirectoryOf(`${folder.path}/a/b/c/map.db`, true);
    assert.deepEqual(names().sort(), ["a", "maps"]);
  },
});

Deno.test({
  name: "createDirectoryOf() creates no folder in the root directory",
  ...needs(),
  fn: () => {
    const name = `/occupancy-test-${crypto.randomUUID()}`;
    assert.throws(
      () => createDirectoryOf(`${name}/map.db`),
      /^StoreError: Cannot use the directory .*: it does not exist$/,
    );
    assert.throws(() => Deno.statSync(name), Deno.errors.NotFound);
  },
});
