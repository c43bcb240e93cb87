/** `./occupancy`, the launcher at the top of a checkout. */
import assert from "node:assert/strict";
import { cacheFolder } from "../../src/cli/download_notice.ts";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";

/** A PATH that starts with the Deno that runs the tests. */
function path(): string {
  const deno = Deno.execPath();
  return `${deno.slice(0, deno.lastIndexOf("/"))}:${Deno.env.get("PATH")}`;
}

Deno.test({
  name: "occupancy is a short POSIX script",
  ...needs("sh"),
  fn: async () => {
    const script = await Deno.readTextFile(`${ROOT}occupancy`);
    assert.match(script, /^#!\/bin\/sh\n/);
    assert.ok(script.trimEnd().split("\n").length <= 60);
    const permissions = await Deno.readTextFile(`${ROOT}tools/permissions.sh`);
    assert.doesNotMatch(script + permissions, /allow-all|-A\b/);
    assert.doesNotMatch(permissions, /[`]|\$\(/, "it runs no programs");
    assert.equal((await Deno.stat(`${ROOT}occupancy`)).mode! & 0o111, 0o111);
  },
});

Deno.test({
  name: "occupancy runs from another directory and through symlinks",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const direct = `${folder.path}/direct`;
    const relative = `${folder.path}/a dir/relative`;
    await Deno.mkdir(`${folder.path}/a dir`);
    await Deno.symlink(`${ROOT}occupancy`, direct);
    await Deno.symlink("../direct", relative);
    await folder.file("here.csv", "");
    for (const command of [`${ROOT}occupancy`, direct, relative]) {
      await using version = new Running(command, ["--version"], {
        cwd: folder.path,
        env: { PATH: path() },
      });
      const { code, stdout, stderr } = await version.ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^occupancy \d+\.\d+\.\d+( \(.+\))?\n$/);
    }
    // Paths are relative to the current directory, not to the program.
    await using client = new Running(relative, ["client", "-f", "here.csv"], {
      cwd: folder.path,
      env: { PATH: path(), OCCUPANCY_BROKER: "mqtt://127.0.0.1:1" },
    });
    const { stderr } = await client.ended();
    assert.doesNotMatch(stderr, /No such file/);
  },
});

Deno.test({
  name: "occupancy without Deno and npx prints what it needs, and exits with 1",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    await linkTools(folder.path);
    await using bare = new Running("/bin/sh", [`${ROOT}occupancy`], {
      env: { PATH: folder.path, XDG_CACHE_HOME: folder.path },
    });
    const { code, stderr } = await bare.ended();
    assert.equal(code, 1);
    assert.match(stderr, /needs Deno .* or Node\.js/);
  },
});

Deno.test({
  name:
    "occupancy without Deno asks npx once, then runs the Deno from npm directly",
  ...needs("sh"),
  fn: async () => {
    await using npx = await fakeNpx(`echo '${Deno.execPath()}'`);
    for (let i = 0; i < 3; i++) {
      await using version = npx.run("--version");
      const { code, stdout, stderr } = await version.ended();
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^occupancy \d/);
    }
    const calls = await npx.calls();
    assert.equal(calls.length, 1);
    assert.match(calls[0]!, /--prefer-offline .*deno@\d+\.\d+\.\d+ eval/);
    // A Deno that was removed since is found again.
    const link = (await Array.fromAsync(Deno.readDir(npx.cache)))[0]!.name;
    await Deno.remove(`${npx.cache}/${link}`);
    await Deno.symlink(`${npx.cache}/gone`, `${npx.cache}/${link}`);
    await using version = npx.run("--version");
    assert.equal((await version.ended()).code, 0);
    assert.equal((await npx.calls()).length, 2);
  },
});

Deno.test({
  name: "occupancy with the Deno from npm: a signal to it ends the server",
  ...needs("sh"),
  fn: async () => {
    await using npx = await fakeNpx(`echo '${Deno.execPath()}'`);
    await assertSignalEndsServer(npx);
  },
});

Deno.test({
  name:
    "occupancy with a Deno that is a script of Node.js: a signal to it ends the server",
  ...needs("sh"),
  fn: async () => {
    await using machine = await fakeNpx("exit 1");
    const { bin } = machine;
    for (const tool of ["head", "grep"]) await linkTool(tool, bin);
    // Runs Deno as a child, as the script of npm's package does.
    await Deno.symlink("/bin/sh", `${bin}/node`);
    await Deno.writeTextFile(
      `${bin}/deno`,
      `#!${bin}/node\n'${Deno.execPath()}' "$@"\nexit $?\n`,
      { mode: 0o755 },
    );
    await assertSignalEndsServer(machine);
  },
});

Deno.test({
  name: "occupancy that cannot download Deno says so and what to do",
  ...needs("sh"),
  fn: async () => {
    await using npx = await fakeNpx("echo 'npm error EAI_AGAIN' >&2; exit 1");
    await using version = npx.run("--version");
    const { code, stdout, stderr } = await version.ended();
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(
      stderr,
      /^npm error EAI_AGAIN\noccupancy: cannot download Deno \S+ from npm\n {2}hint: Connect this machine/,
    );
  },
});

Deno.test({
  name: "occupancy.cmd runs the same Deno and options as occupancy",
  ...needs(),
  fn: async () => {
    const read = (name: string) => Deno.readTextFile(`${ROOT}${name}`);
    const [script, batch] = await Promise.all([
      read("occupancy"),
      read("occupancy.cmd"),
    ]);
    const version = /^version=(\S+)$/m.exec(script)![1]!;
    assert.match(batch, new RegExp(`deno@${version} eval`));
    const npxOptions = (text: string) =>
      [...text.matchAll(/--(?:yes|prefer-|no-update|fetch-)\S*/g)].flat();
    assert.deepEqual(npxOptions(batch), npxOptions(script));
    assert.deepEqual(
      [...batch.matchAll(/deno[@-](\d[.\d]*\d)/g)].map(([, one]) => one),
      Array(2).fill(version),
    );
  },
});

/** A machine without Deno whose npx is a shell script. */
async function fakeNpx(script: string) {
  const folder = await tempDir();
  const bin = `${folder.path}/bin`;
  await Deno.mkdir(bin);
  await linkTools(bin);
  await Deno.writeTextFile(
    `${bin}/npx`,
    `#!/bin/sh\necho "$*" >>'${folder.path}/calls'\n${script}\n`,
    { mode: 0o755 },
  );
  const packages = cacheFolder(Deno.build.os, (name) => Deno.env.get(name));
  return {
    /** The folder of all its programs. */
    bin,
    /** Where the launcher keeps its link. */
    cache: `${folder.path}/cache/occupancy`,
    run: (...args: string[]) =>
      new Running("/bin/sh", [`${ROOT}occupancy`, ...args], {
        env: {
          PATH: bin,
          XDG_CACHE_HOME: `${folder.path}/cache`,
          ...(packages !== undefined && { DENO_DIR: packages }),
        },
      }),
    calls: async () =>
      (await Deno.readTextFile(`${folder.path}/calls`)).trimEnd().split("\n"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Makes links to the programs that the launcher needs. */
async function linkTools(folder: string): Promise<void> {
  for (const tool of ["dirname", "readlink", "mkdir", "ln"]) {
    await linkTool(tool, folder);
  }
}

async function linkTool(tool: string, folder: string): Promise<void> {
  const real = ["/usr/bin/", "/bin/"].map((at) => at + tool).find((at) => {
    try {
      return Deno.statSync(at).isFile;
    } catch {
      return false;
    }
  });
  await Deno.symlink(real!, `${folder}/${tool}`);
}

/** Asserts that a signal to the launcher ends the server that it runs. */
async function assertSignalEndsServer(
  machine: { run(...args: string[]): Running },
): Promise<void> {
  const port = freePort();
  await using server = machine.run("server", "--listen", `127.0.0.1:${port}`);
  await server.waitFor(/Ready/);
  server.kill("SIGTERM");
  const { code, stderr } = await server.ended();
  assert.equal(code, 0, stderr);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
}
