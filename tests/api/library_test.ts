/** The example and the configurations of docs/LIBRARY.md, in another project. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { startSystem } from "../support/system.ts";
import { tempDir } from "../support/temp.ts";

/** Returns the code blocks of a language in a Markdown text. */
function codeBlocks(markdown: string, language: string): string[] {
  const block = new RegExp("```" + language + "\\n(.*?)```", "gs");
  return [...markdown.matchAll(block)].map(([, code]) => code!);
}

for (const index of [0, 1]) {
  Deno.test({
    name: `docs/LIBRARY.md: the example runs with deno.json number ${
      index + 1
    }`,
    ...needs(),
    // Symbolic links need a privilege on Windows.
    ignore: needs().ignore || Deno.build.os === "windows",
    fn: async () => {
      const text = await Deno.readTextFile(`${ROOT}docs/LIBRARY.md`);
      const [example] = codeBlocks(text, "ts");
      const config = codeBlocks(text, "json")[index]!;
      await using system = await startSystem("embedded");
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
      assert.match(stdout, /^3 1\n/);
      assert.match(stdout, /^snapshot \d+ 3 3$/m);
    },
  });
}
