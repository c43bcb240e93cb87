/**
 * Installs the npm packages of a checkout for esbuild, which reads them from a
 * `node_modules` folder.
 *
 * @module
 */
import { AppError } from "../../src/common/errors.ts";

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
