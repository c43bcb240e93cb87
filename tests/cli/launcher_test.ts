/** `./occupancy`, the launcher at the top of a checkout. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { ROOT, Running } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

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
    assert.ok(script.trimEnd().split("\n").length <= 30);
    assert.doesNotMatch(script, /allow-all|-A\b|--allow-run(?!=tail,less)/);
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
    for (const tool of ["dirname", "readlink"]) {
      const real = ["/usr/bin/", "/bin/"].map((at) => at + tool).find((at) => {
        try {
          return Deno.statSync(at).isFile;
        } catch {
          return false;
        }
      });
      await Deno.symlink(real!, `${folder.path}/${tool}`);
    }
    await using bare = new Running("/bin/sh", [`${ROOT}occupancy`], {
      env: { PATH: folder.path },
    });
    const { code, stderr } = await bare.ended();
    assert.equal(code, 1);
    assert.match(stderr, /needs Deno .* or Node\.js/);
  },
});
