/**
 * `deno task compile`: the executable for this machine in `dist/`, with `--all`
 * those for every platform; and SHA256SUMS of what was made.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { makeBundle } from "./bundle.ts";
import { checkBaseRuntime } from "./compile/base_runtime.ts";
import { checksums, SUMS } from "./compile/checksums.ts";
import { compile } from "./compile/compile.ts";
import { hostTarget, type Target, TARGETS } from "./compile/targets.ts";
import { BUNDLE, DIST, writeWhole } from "./places.ts";
import { runTool, ToolError } from "./tool_error.ts";

if (import.meta.main) await runTool(() => main(Deno.args));

async function main(args: readonly string[]): Promise<void> {
  const targets = targetsOf(args);
  const host = hostTarget();
  const denort = Deno.env.get("DENORT_BIN");
  for (const target of targets) {
    await checkBaseRuntime(target, { denort, host });
  }
  await makeBundle();
  // Sums of another run would be of other files.
  await Deno.remove(DIST + SUMS).catch(() => {});
  const names: string[] = [];
  for (const target of targets) {
    const name = await compile(target, {
      bundle: BUNDLE,
      folder: DIST.replace(/\/$/, ""),
      version: manifest.version,
      host,
    });
    const { size } = await Deno.stat(DIST + name);
    console.log(`dist/${name}  ${(size / 1e6).toFixed(1)} MB`);
    names.push(name);
  }
  await writeWhole(DIST + SUMS, await checksums(DIST, names));
  console.log(`dist/${SUMS}`);
}

/** @throws {ToolError} for arguments that are none, or a machine without a target */
function targetsOf(args: readonly string[]): readonly Target[] {
  if (args.length === 1 && args[0] === "--all") return TARGETS;
  const host = hostTarget();
  if (args.length === 0 && host !== undefined) return [host];
  throw new ToolError(
    args.length === 0
      ? `No executables are made for ${Deno.build.target}`
      : `Cannot compile with ${args.join(" ")}`,
    {
      exitCode: 2,
      hint:
        "deno task compile makes the one for this machine, deno task compile --all those for every platform.",
    },
  );
}
