/**
 * The commit that a build is of: what git says, or OCCUPANCY_COMMIT where there
 * is no git (an image built without `.git`). Nothing is written for it: the
 * bundler puts the text in place of a name.
 *
 * @param root the top of the checkout
 * @returns 12 hex digits, with `+changes` if tracked files differ from the
 * commit; empty if it cannot be told
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

/** What git prints; undefined if there is no git, or it fails. */
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
