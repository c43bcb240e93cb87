/** The version of the program, and the commit that it was built from. */
import manifest from "../../deno.json" with { type: "json" };

/** The version of this program. */
export const VERSION: string = manifest.version;

/**
 * Set by the bundler (tools/bundle/), empty if unknown; a checkout has no such
 * name.
 */
declare const OCCUPANCY_COMMIT: string;

const COMMIT_DIGITS = 12;
const HASH = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/**
 * The text of `--version`: `occupancy 0.1.0 (c6c140612345)` of a build,
 * `occupancy 0.1.0 (checkout of c6c140612345)` of a checkout, `occupancy 0.1.0`
 * if the commit is unknown.
 */
export async function versionLine(): Promise<string> {
  const source = typeof OCCUPANCY_COMMIT === "string"
    ? OCCUPANCY_COMMIT
    : await describeCheckout();
  return `occupancy ${VERSION}${source === "" ? "" : ` (${source})`}`;
}

/**
 * The commit of a checkout, read from the files of git: `--version` may not run
 * programs. Uncommitted changes are not detected.
 *
 * @param root the top of the checkout. Default: this one
 * @returns `checkout of c6c140612345`, or empty if there is no commit to read
 */
export async function describeCheckout(
  root: URL = new URL("../../", import.meta.url),
): Promise<string> {
  try {
    const hash = await readHead(await gitDirectory(root));
    return hash === undefined
      ? ""
      : `checkout of ${hash.slice(0, COMMIT_DIGITS)}`;
  } catch {
    return ""; // the version is correct without the commit
  }
}

/** `.git`, or the directory that it names: in a worktree `.git` is a file. */
async function gitDirectory(root: URL): Promise<URL> {
  const git = new URL(".git", root);
  if ((await Deno.stat(git)).isDirectory) return directory(".git", root);
  const path = /^gitdir: (.+)$/m.exec(await Deno.readTextFile(git))?.[1];
  if (path === undefined) throw new Error("Cannot read .git: no gitdir in it");
  return directory(path, root);
}

/** The commit of HEAD (gitrepository-layout(5)); undefined without commits. */
async function readHead(git: URL): Promise<string | undefined> {
  const head = (await Deno.readTextFile(new URL("HEAD", git))).trim();
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return HASH.test(head) ? head : undefined;
  // A worktree's branches are in the directory of its repository.
  const common = await readIfPresent(new URL("commondir", git));
  const home = common === undefined ? git : directory(common.trim(), git);
  const loose = (await readIfPresent(new URL(ref, home)))?.trim();
  if (loose !== undefined) return HASH.test(loose) ? loose : undefined;
  const packed = await readIfPresent(new URL("packed-refs", home)) ?? "";
  return packed.split("\n").map((line) => line.split(" "))
    .find(([, name]) => name === ref)?.[0];
}

function directory(path: string, base: URL): URL {
  return new URL(`${path.replace(/\/$/, "")}/`, base);
}

async function readIfPresent(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
