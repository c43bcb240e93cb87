import assert from "node:assert/strict";
import { buildPage, BUILT } from "../../tools/build_page.ts";
import { permitted } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

Deno.test({
  name: "the committed page is what `deno task build` makes of its sources",
  ignore: !permitted(),
  fn: async () => {
    await using folder = await tempDir();
    await buildPage(`${folder.path}/`);
    for (const name of BUILT) {
      const [made, committed] = await Promise.all([
        Deno.readTextFile(`${folder.path}/${name}`),
        Deno.readTextFile(`${ROOT}src/http/dashboard/built/${name}`),
      ]);
      // Not assert.equal: it would print both bundles.
      assert.ok(
        made === committed,
        `${name} is not up to date: run "deno task build" and commit it`,
      );
    }
  },
});
