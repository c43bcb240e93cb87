/** Warnings about a store that other users of the machine can reach. */
import assert from "node:assert/strict";
import { checkStoreFile } from "../../../../src/cli/commands/server/secret_files.ts";
import { needs } from "../../../support/needs.ts";
import { tempDir } from "../../../support/temp.ts";

async function warningsOf(address: string): Promise<string[]> {
  const lines: string[] = [];
  await checkStoreFile(address, (line) => lines.push(line));
  return lines;
}

Deno.test({
  name: "server warns if all users can read the map, or write to its folder",
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    await using folder = await tempDir();
    const { path } = folder;
    const store = `sqlite:${path}/map.sqlite`;
    assert.deepEqual(await warningsOf("memory:"), []);
    assert.deepEqual(await warningsOf(`sqlite:${path}/missing/a.sqlite`), []);
    const file = await folder.file("map.sqlite", "");
    await Deno.chmod(file, 0o644);
    assert.deepEqual(await warningsOf(store), [], "the folder is private");
    await Deno.chmod(path, 0o775);
    const [readable, ...more] = await warningsOf(store);
    assert.match(readable!, /can read the map in .*chmod 600/);
    assert.deepEqual(more, []);
    await Deno.chmod(file, 0o600);
    assert.deepEqual(await warningsOf(store), []);
    await Deno.chmod(path, 0o1777); // such as /tmp
    const [writable, ...others] = await warningsOf(store);
    assert.match(writable!, /can write to the folder of the store/);
    assert.deepEqual(others, []);
  },
});
