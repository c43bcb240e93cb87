/** The examples and the configurations of docs/LIBRARY.md, in another project. */
import assert from "node:assert/strict";
import { utf8 } from "../protocol/support.ts";
import { squares } from "../server/zones/support.ts";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { startSystem } from "../support/system.ts";
import { tempDir } from "../support/temp.ts";

/** Returns the code blocks of a language in a Markdown text. */
function codeBlocks(markdown: string, language: string): string[] {
  const block = new RegExp("```" + language + "\\n(.*?)```", "gs");
  return [...markdown.matchAll(block)].map(([, code]) => code!);
}

/** The example of a block of JSON, and what it prints. */
const EXAMPLES: readonly (readonly RegExp[])[] = [
  [/^3 1\n/, /^snapshot \d+ 3 3$/m],
  [/^Lobby: occupied, at least 3\n/, /^1 zones, 1 changed$/m],
];

for (const [index, outputs] of EXAMPLES.entries()) {
  Deno.test({
    name: `docs/LIBRARY.md: example and deno.json number ${index + 1} work`,
    ...needs(),
    // Symbolic links need a privilege on Windows.
    ignore: needs().ignore || Deno.build.os === "windows",
    fn: async () => {
      const text = await Deno.readTextFile(`${ROOT}docs/LIBRARY.md`);
      const example = codeBlocks(text, "ts")[index];
      const config = codeBlocks(text, "json")[index]!;
      await using system = await startSystem("embedded");
      const zones = await squares(["lobby", [0, 0, 4], { title: "Lobby" }]);
      await system.server.zones.edit({ kind: "replace", zones });
      await system.server.submit("default", utf8("1,2,3\n1,3,-1"));
      await using folder = await tempDir();
      await Deno.symlink(ROOT, `${folder.path}/occupancy`);
      await Deno.mkdir(`${folder.path}/app`);
      await folder.file("app/deno.json", config);
      await folder.file(
        "app/main.ts",
        example!.replace("mqtt://localhost:1883", system.url)
          .replace("60_000", "500"),
      );
      await using app = new Running(Deno.execPath(), [
        ...["run", "--quiet", "--check", "--no-prompt"],
        ...["--allow-net", "--allow-env", "main.ts"],
      ], { cwd: `${folder.path}/app` });
      const { code, stdout, stderr } = await app.ended();
      assert.equal(code, 0, stderr);
      for (const output of outputs) assert.match(stdout, output);
    },
  });
}
