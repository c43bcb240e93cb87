/**
 * `deno task compile`: writes the executable for this machine to `dist/`, with
 * `--all` the executables for all platforms, and their SHA256SUMS.
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { AppError } from "../src/common/errors.ts";
import { makeBundle } from "./bundle.ts";
import { checkBaseRuntime } from "./compile/base_runtime.ts";
import { compile } from "./compile/compile.ts";
import { hostTarget, type Target, TARGETS } from "./compile/executable.ts";
import { BUNDLE, DIST, runTool, writeAtomically } from "./tool.ts";

/** The file of checksums, as release pages name it. */
const SUMS = "SHA256SUMS";

if (import.meta.main) await runTool(() => main(Deno.args));

async function main(args: readonly string[]): Promise<void> {
  const targets = targetsOf(args);
  const host = hostTarget();
  const denort = Deno.env.get("DENORT_BIN");
  for (const target of targets) {
    await checkBaseRuntime(target, { denort, host });
  }
  await makeBundle();
  // Checksums of an earlier run do not match the new files.
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
  await writeAtomically(DIST + SUMS, await checksums(DIST, names));
  console.log(`dist/${SUMS}`);
}

/** @throws {AppError} for unknown arguments or an unsupported machine */
function targetsOf(args: readonly string[]): readonly Target[] {
  if (args.length === 1 && args[0] === "--all") return TARGETS;
  const host = hostTarget();
  if (args.length === 0 && host !== undefined) return [host];
  throw new AppError(
    "no-target",
    args.length === 0
      ? `Cannot compile for this machine: ${Deno.build.target} is not supported`
      : `Cannot compile with ${args.join(" ")}`,
    {
      exitClass: "usage",
      hint: "Use no arguments for this machine, or --all for every platform.",
    },
  );
}

/**
 * Computes a line for each file, in the form that `sha256sum -c` reads: digest,
 * two spaces, name.
 *
 * @param folder where the files are
 * @param names names of the files, in the order of the lines
 */
export async function checksums(
  folder: string,
  names: readonly string[],
): Promise<string> {
  const lines = await Promise.all(names.map(async (name) => {
    const content = await Deno.readFile(`${folder}/${name}`);
    const digest = await crypto.subtle.digest("SHA-256", content);
    return `${new Uint8Array(digest).toHex()}  ${name}\n`;
  }));
  return lines.join("");
}
