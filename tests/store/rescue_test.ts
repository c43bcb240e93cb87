/** The copy of a map whose file was replaced. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { tempDir } from "../support/temp.ts";
import { commitAndApply, readingsEntry, storeOpener } from "./support.ts";

const T0 = 1_700_000_000_000;
/** The file's name has the time in seconds. */
const PREPARED_SECONDS = 20;

Deno.test({
  name: "rescue() writes through no link that another user has prepared",
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    await using folder = await tempDir();
    const victim = await folder.file("victim", "");
    const path = `${folder.path}/map.sqlite`;
    const open = await storeOpener({ path });
    const { store, map } = open();
    commitAndApply(store, map, readingsEntry(T0, [[1, 2, 3]]));
    await Deno.rename(path, `${path}.away`);
    await folder.file("map.sqlite", "another");
    for (let s = 0; s < PREPARED_SECONDS; s++) {
      const time = new Date(Date.now() + s * 1000).toISOString();
      const stamp = time.replace(/\.\d+|[-:]/g, "");
      await Deno.symlink(victim, `${path}.saved-${stamp}`);
    }
    await store.rescue();
    store.close();
    assert.equal((await Deno.stat(victim)).size, 0);
    const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
    const saved = names.find((name) => /\.saved-\w+-2$/.test(name));
    assert.ok(saved, names.join());
    const copy = await storeOpener({ path: `${folder.path}/${saved}` });
    const again = copy();
    assert.equal(again.map.layer("default")!.get(1, 2)!.value, 3);
    again.store.close();
  },
});
