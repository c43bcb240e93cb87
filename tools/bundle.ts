/**
 * `deno task bundle`: writes the whole program into one file,
 * `dist/occupancy.js`.
 *
 * @module
 */
import { bundle } from "./bundle/bundle.ts";
import { BUNDLE, DIST, ROOT, runTool, writeAtomically } from "./tool.ts";

/**
 * Makes `dist/occupancy.js`.
 *
 * @returns its size, bytes
 */
export async function makeBundle(): Promise<number> {
  const text = await bundle({ root: ROOT, commit: await commitOf(ROOT) });
  await Deno.mkdir(DIST, { recursive: true });
  await writeAtomically(BUNDLE, text);
  return (await Deno.stat(BUNDLE)).size;
}

/**
 * Finds the commit of a build: OCCUPANCY_COMMIT if set (an image is built
 * without `.git`), else from git. The bundler writes it into the bundle.
 *
 * @param root the top of the checkout
 * @returns 12 hex digits, with `+changes` if tracked files differ from the
 * commit; empty if unknown
 */
export async function commitOf(root: string): Promise<string> {
  const given = Deno.env.get("OCCUPANCY_COMMIT");
  if (given !== undefined) return given;
  const head = await git(root, ["rev-parse", "--short=12", "HEAD"]);
  if (head === undefined) return "";
  const changed = await git(root, [
    "status",
    "--porcelain",
    "--untracked-files=no",
  ]);
  return changed === "" ? head : `${head}+changes`;
}

/** @returns the output of git; undefined if git is missing or fails */
async function git(
  root: string,
  args: string[],
): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", root, ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  await runTool(async () => {
    const size = await makeBundle();
    console.log(`${BUNDLE}  ${Math.round(size / 1000)} kB`);
  });
}
