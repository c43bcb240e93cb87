import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildFailure } from "esbuild";
import { ToolError } from "../tool_error.ts";
import { lazyBuiltins } from "./builtins.ts";
import { embedded, manifestVersion } from "./embedded.ts";
import { layOutPackages } from "./packages.ts";

/** The top of the checkout that this module is in: parts of it go into the bundle. */
const OWN_TOP = fileURLToPath(new URL("../../", import.meta.url));

/** What to bundle. */
export interface BundleOptions {
  /** The top of the checkout, with a slash at the end. */
  readonly root: string;
  /** The module to begin with. Default: `main.ts` at the top. */
  readonly entry?: string;
  /** The commit that `--version` names; empty if it is not known. */
  readonly commit: string;
}

/**
 * Makes one JavaScript file of the program and of what it uses of its npm
 * packages. The same checkout gives the same bytes on every machine.
 *
 * Names are kept, so that a stack trace in a bug report can be read; white
 * space and comments are not.
 *
 * @returns the file's text
 * @throws {ToolError} if the npm packages cannot be had, or something that is
 * imported is not there
 */
export async function bundle(options: BundleOptions): Promise<string> {
  const { root, entry = `${root}main.ts`, commit } = options;
  // It looks into the environment when it is loaded, which tests may not.
  const esbuild = await import("esbuild");
  await using packages = await layOutPackages(root);
  const base = await Deno.realPath(packages.path);
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [entry],
      absWorkingDir: base,
      nodePaths: [`${packages.path}/node_modules`],
      bundle: true,
      write: false,
      format: "esm",
      target: "esnext",
      // Resolve as Deno does: exports for Deno or Node, else main.
      platform: "node",
      conditions: ["deno"],
      mainFields: ["main"],
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: "none",
      inject: [fileURLToPath(new URL("timers.ts", import.meta.url))],
      define: { OCCUPANCY_COMMIT: JSON.stringify(commit) },
      plugins: [
        lazyBuiltins(),
        manifestVersion(),
        embedded(),
      ],
      logLevel: "silent", // what is wrong is thrown
    });
    return placeless(outputFiles[0]!.text, base, [root, OWN_TOP]);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const told = await esbuild.formatMessages(error.errors, { kind: "error" });
    throw new ToolError(`Cannot bundle:\n${told.join("")}`, {
      hint: "deno check main.ts tells more.",
    });
  } finally {
    await esbuild.stop();
  }
}

/** esbuild labels each module with its path from `base`; here from the top of its checkout. */
function placeless(text: string, base: string, tops: string[]): string {
  for (const top of tops) {
    const from = relative(base, Deno.realPathSync(top)).replaceAll("\\", "/");
    text = text.replaceAll(`({"${from}/`, '({"');
  }
  return text;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error;
}
