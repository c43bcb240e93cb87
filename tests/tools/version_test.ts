/** The commit in the version of a build and of a checkout. */
import assert from "node:assert/strict";
import { describeCheckout } from "../../src/cli/version.ts";
import { commitOf } from "../../tools/bundle.ts";
import { needs } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

async function git(folder: string, ...args: string[]): Promise<string> {
  await using program = new Running("git", [
    ...["-c", "user.name=Test", "-c", "user.email=test@example.org"],
    ...["-C", folder, ...args],
  ]);
  const { code, stdout, stderr } = await program.ended();
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function repository() {
  const folder = await tempDir();
  await git(folder.path, "init", "--quiet", "--initial-branch=main");
  await folder.file("a", "1");
  await git(folder.path, "add", "a");
  await git(folder.path, "commit", "--quiet", "--message=one");
  return folder;
}

const rootOf = (path: string) => new URL(`file://${path}/`);

Deno.test({
  name: "describeCheckout() agrees with git, with loose and packed refs",
  ...needs("sh"),
  fn: async () => {
    await using folder = await repository();
    const { path } = folder;
    const head = await git(path, "rev-parse", "--short=12", "HEAD");
    assert.equal(await describeCheckout(rootOf(path)), `checkout of ${head}`);
    await git(path, "pack-refs", "--all");
    assert.equal(await describeCheckout(rootOf(path)), `checkout of ${head}`);
    await git(path, "checkout", "--quiet", "--detach");
    assert.equal(await describeCheckout(rootOf(path)), `checkout of ${head}`);
  },
});

Deno.test({
  name: "describeCheckout() returns the commit of a worktree",
  ...needs("sh"),
  fn: async () => {
    await using folder = await repository();
    await using other = await tempDir();
    const tree = `${other.path}/tree`;
    await git(folder.path, "worktree", "add", "--quiet", "-b", "b", tree);
    await git(tree, "commit", "--quiet", "--allow-empty", "--message=two");
    const head = await git(tree, "rev-parse", "--short=12", "HEAD");
    assert.equal(await describeCheckout(rootOf(tree)), `checkout of ${head}`);
  },
});

Deno.test({
  name: "describeCheckout() is empty without a commit or without git",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const root = rootOf(folder.path);
    assert.equal(await describeCheckout(root), "");
    await git(folder.path, "init", "--quiet");
    assert.equal(await describeCheckout(root), "");
    await Deno.remove(`${folder.path}/.git`, { recursive: true });
    await folder.file(".git", "no gitdir");
    assert.equal(await describeCheckout(root), "");
  },
});

Deno.test({
  name: "commitOf() marks changes of tracked files only",
  ...needs("sh"),
  fn: async () => {
    await using folder = await repository();
    const { path } = folder;
    const head = await git(path, "rev-parse", "--short=12", "HEAD");
    assert.match(head, /^[0-9a-f]{12}$/);
    await folder.file("untracked", "");
    assert.equal(await commitOf(path), head);
    await folder.file("a", "2");
    assert.equal(await commitOf(path), `${head}+changes`);
  },
});

Deno.test({
  name: "commitOf() is empty outside a repository",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    assert.equal(await commitOf(folder.path), "");
  },
});
