/** The bundle is reproducible and complete, and runs on older Deno versions. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { AppError } from "../../src/common/errors.ts";
import { bundle, installPackages } from "../../tools/bundle/bundle.ts";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

const RUN = ["run", "--no-config", "--no-remote", "--no-npm", "--no-prompt"];

/** Bundles a program of one module, runs it, and returns its output. */
async function runBundled(
  source: string,
  files: Record<string, string | Uint8Array> = {},
): Promise<string> {
  await using folder = await tempDir();
  await using elsewhere = await tempDir();
  for (const [name, content] of Object.entries(files)) {
    await folder.file(name, content);
  }
  const entry = await folder.file("entry.ts", source);
  const text = await bundle({ root: ROOT, entry, commit: "0123456789ab" });
  const file = await elsewhere.file("bundled.js", text);
  await using program = new Running(Deno.execPath(), [...RUN, file]);
  const { code, stdout, stderr } = await program.ended();
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

Deno.test({
  name: "bundle() gives the same bytes in any folder",
  ...needs(),
  fn: async () => {
    await using elsewhere = await tempDir();
    const manifests = ["deno.json", "deno.lock", "import_map.json"];
    for (const name of [...manifests, "main.ts", "src", "tools"]) {
      await cp(ROOT + name, `${elsewhere.path}/${name}`, { recursive: true });
    }
    const commit = "0123456789ab";
    const one = await bundle({ root: ROOT, commit });
    const other = await bundle({ root: `${elsewhere.path}/`, commit });
    assert.ok(one === other, "bundles of the same checkout differ");
    for (const path of [ROOT, elsewhere.path]) {
      assert.ok(!one.includes(path.slice(1)), `${path} is in the bundle`);
    }
  },
});

Deno.test({
  name: "bundle() embeds files imported as text or bytes",
  ...needs(),
  fn: async () => {
    const page = '<!doctype html>\n<title>é "`${1}</title>\n';
    const printed = await runBundled(
      `import page from "./page.html" with { type: "text" };
       import bytes from "./pixel.bin" with { type: "bytes" };
       console.log(JSON.stringify([page, bytes instanceof Uint8Array, [...bytes]]));`,
      {
        "page.html": page,
        "pixel.bin": new Uint8Array([0, 255, 10, 128]),
      },
    );
    assert.deepEqual(JSON.parse(printed), [page, true, [0, 255, 10, 128]]);
  },
});

Deno.test({
  name: "bundle() loads a built-in module when the code that imports it runs",
  ...needs(),
  fn: async () => {
    const printed = await runBundled(
      `const loaded: string[] = [];
       const load = process.getBuiltinModule;
       process.getBuiltinModule = ((name: string) => {
         loaded.push(name);
         return load.call(process, name);
       }) as typeof load;
       const before = [...loaded];
       const { posix } = await import("./command.ts");
       console.log(JSON.stringify({ before, loaded, sep: posix }));`,
      {
        "command.ts":
          'import { sep } from "node:path/posix"; export const posix = sep;',
      },
    );
    assert.deepEqual(JSON.parse(printed), {
      before: [],
      loaded: ["node:path/posix"],
      sep: "/",
    });
  },
});

Deno.test({
  name: "bundle() gives all code Node's timers",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const entry = await folder.file(
      "entry.ts",
      "const timer = setTimeout(() => {}); clearTimeout(timer);",
    );
    const text = await bundle({ root: ROOT, entry, commit: "" });
    // Since Deno 2.8 the global timers are Node's. In older versions only the
    // import shows that the code has Node's timers.
    const [, names] = /^import\{([^}]+)\}from"node:timers";/m.exec(text) ?? [];
    assert.match(names ?? "", /\bclearTimeout\b.*\bsetTimeout\b/);
  },
});

Deno.test({
  name: "bundle() names an import that is not found",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const entry = await folder.file("entry.ts", 'import "./gone.ts";');
    await assert.rejects(
      bundle({ root: ROOT, entry, commit: "" }),
      (error: AppError) => {
        assert.ok(error instanceof AppError);
        assert.match(error.message, /Could not resolve "\.\/gone\.ts"/);
        return true;
      },
    );
  },
});

Deno.test({
  name: "installPackages() deletes its folder when disposed",
  ...needs(),
  fn: async () => {
    const packages = await installPackages(ROOT);
    assert.ok(
      (await Deno.stat(`${packages.path}/node_modules/mqtt`)).isDirectory,
    );
    await packages[Symbol.asyncDispose]();
    await assert.rejects(Deno.stat(packages.path), Deno.errors.NotFound);
  },
});
