/**
 * Bundles the program and the parts of its npm packages that it uses into one
 * JavaScript file.
 *
 * @module
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildFailure } from "esbuild";
import { AppError } from "../../src/common/errors.ts";
import { embeddedFiles, lazyBuiltins, manifestVersion } from "./plugins.ts";

/** The checkout of this file: its timers.ts goes into every bundle. */
const OWN_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Options of {@linkcode bundle}. */
export interface BundleOptions {
  /** The top of the checkout, with a slash at the end. */
  readonly root: string;
  /** The first module. Default: `main.ts` at the top. */
  readonly entry?: string;
  /** The commit that `--version` prints; empty if unknown. */
  readonly commit: string;
}

/**
 * Bundles a program. The same checkout gives the same bytes on every machine.
 *
 * Names are kept, so that a stack trace in a bug report can be read; white
 * space and comments are not.
 *
 * @returns the text of the bundle
 * @throws {AppError} if a package cannot be installed or an import is not found
 */
export async function bundle(options: BundleOptions): Promise<string> {
  const { root, entry = `${root}main.ts`, commit } = options;
  // esbuild reads the environment when it is loaded: a test without
  // permissions must be able to import this file.
  const esbuild = await import("esbuild");
  await using packages = await installPackages(root);
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
      plugins: [lazyBuiltins(), manifestVersion(), embeddedFiles()],
      logLevel: "silent", // errors are thrown
    });
    return withoutPaths(outputFiles[0]!.text, base, [root, OWN_ROOT]);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const lines = await esbuild.formatMessages(error.errors, { kind: "error" });
    throw new AppError("bundle-failed", `Cannot bundle:\n${lines.join("")}`, {
      hint: "Run deno check main.ts for details.",
    });
  } finally {
    await esbuild.stop();
  }
}

/**
 * Removes the paths of this machine: esbuild labels each module with its path
 * relative to `base`; afterwards it is relative to the top of its checkout.
 */
function withoutPaths(text: string, base: string, roots: string[]): string {
  for (const root of roots) {
    const from = relative(base, Deno.realPathSync(root)).replaceAll("\\", "/");
    text = text.replaceAll(`({"${from}/`, '({"');
  }
  return text;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error;
}

/** A temporary folder with npm packages, deleted when disposed. */
export interface Packages extends AsyncDisposable {
  /** The folder; the packages are in its `node_modules`. */
  readonly path: string;
}

/**
 * Installs the packages of import_map.json, in the versions of deno.lock, from
 * Deno's cache or else from npm, in a folder outside of the checkout.
 *
 * @param root the top of the checkout, with a slash at the end
 * @throws {AppError} if a package is neither in the cache nor downloaded
 */
export async function installPackages(root: string): Promise<Packages> {
  const path = await Deno.makeTempDir({ prefix: "occupancy-bundle-" });
  const packages: Packages = {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
  try {
    const { imports } = JSON.parse(
      await Deno.readTextFile(`${root}import_map.json`),
    );
    const config = { imports, nodeModulesDir: "auto" };
    await Deno.writeTextFile(`${path}/deno.json`, JSON.stringify(config));
    await Deno.copyFile(`${root}deno.lock`, `${path}/deno.lock`);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["install", "--quiet", "--frozen"],
      cwd: path,
      env: { NO_COLOR: "1" },
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return packages;
    const reason = new TextDecoder().decode(stderr).trim();
    throw new AppError(
      "install-failed",
      `Cannot install the npm packages: ${reason}`,
      { hint: "Connect to the network and try again; Deno caches them." },
    );
  } catch (error) {
    await packages[Symbol.asyncDispose]();
    throw error;
  }
}
