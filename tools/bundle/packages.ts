import { ToolError } from "../tool_error.ts";

/** A folder with the npm packages of deno.lock; gone when disposed. */
export interface Packages extends AsyncDisposable {
  /** Its path; the packages are in `node_modules` there. */
  readonly path: string;
}

/**
 * Lays out the npm packages of a checkout, from Deno's cache or else from npm,
 * in exactly the versions of its deno.lock, in a folder outside of the checkout.
 *
 * @param root the top of the checkout
 * @throws {ToolError} if a package can be had neither from the cache nor from npm
 */
export async function layOutPackages(root: string): Promise<Packages> {
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
    throw new ToolError(
      `Cannot lay out the npm packages: ${
        new TextDecoder().decode(stderr).trim()
      }`,
      { hint: "Run deno install once with the network; then try again." },
    );
  } catch (error) {
    await packages[Symbol.asyncDispose]();
    throw error;
  }
}
