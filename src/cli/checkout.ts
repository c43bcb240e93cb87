/**
 * Which commit a checkout is of, read from git's own files: `--version` shall
 * not have to run a program.
 *
 * @module
 */

const DIGITS = 12;
const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * `checkout of c6c140612345`, or empty where this is no checkout of git, or its
 * files may not be read. What was changed since is not looked for.
 *
 * @param root the top of the checkout; default: of this one
 */
export async function describeCheckout(
  root: URL = new URL("../../", import.meta.url),
): Promise<string> {
  try {
    const hash = await headOf(await gitDirectory(root));
    return hash === undefined ? "" : `checkout of ${hash.slice(0, DIGITS)}`;
  } catch {
    return ""; // a nicety: whatever stands in its way is no failure
  }
}

/** `.git`, or the directory that it names: a worktree's `.git` is a file. */
async function gitDirectory(root: URL): Promise<URL> {
  const git = new URL(".git", root);
  if ((await Deno.stat(git)).isDirectory) return directory(".git", root);
  const path = /^gitdir: (.+)$/m.exec(await Deno.readTextFile(git))?.[1];
  if (path === undefined) throw new Error("Cannot read .git: no gitdir in it");
  return directory(path, root);
}

/** The commit of HEAD (gitrepository-layout(5)); undefined before the first. */
async function headOf(git: URL): Promise<string | undefined> {
  const head = (await Deno.readTextFile(new URL("HEAD", git))).trim();
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return HASH.test(head) ? head : undefined;
  // The branches of a worktree are kept with the repository that it is of.
  const common = await textOf(new URL("commondir", git));
  const home = common === undefined ? git : directory(common.trim(), git);
  const loose = (await textOf(new URL(ref, home)))?.trim();
  if (loose !== undefined) return HASH.test(loose) ? loose : undefined;
  const packed = await textOf(new URL("packed-refs", home)) ?? "";
  return packed.split("\n").map((line) => line.split(" "))
    .find(([, name]) => name === ref)?.[0];
}

function directory(path: string, base: URL): URL {
  return new URL(`${path.replace(/\/$/, "")}/`, base);
}

async function textOf(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
