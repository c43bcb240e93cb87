/** The line that announces a first download of packages. */
import assert from "node:assert/strict";
import { cacheFolder } from "../../src/cli/download_notice.ts";
import { needs } from "../support/needs.ts";
import { Running, runOccupancy } from "../support/processes.ts";
import { tempDir } from "../support/temp.ts";

const ANNOUNCEMENT = "Downloading packages, once …";

Deno.test({
  name: "cacheFolder() finds Deno's cache on each system",
  permissions: "none",
  fn: () => {
    const home = { HOME: "/home/me" };
    const cases: [typeof Deno.build.os, Record<string, string>, string?][] = [
      ["linux", home, "/home/me/.cache/deno"],
      ["linux", { ...home, XDG_CACHE_HOME: "/var/c" }, "/var/c/deno"],
      ["linux", { ...home, XDG_CACHE_HOME: "" }, "/home/me/.cache/deno"],
      ["linux", { ...home, DENO_DIR: "/opt/deno" }, "/opt/deno"],
      ["darwin", home, "/home/me/Library/Caches/deno"],
      ["windows", { LOCALAPPDATA: "C:\\Local" }, "C:\\Local/deno"],
      ["linux", {}],
    ];
    for (const [os, variables, folder] of cases) {
      assert.equal(cacheFolder(os, (name) => variables[name]), folder);
    }
  },
});

Deno.test({
  name: "a command announces the first download, only if a package is missing",
  ...needs(),
  fn: async () => {
    await using cache = await tempDir();
    // No registry answers there: the command fails when it would download.
    const env = { DENO_DIR: cache.path, NPM_CONFIG_REGISTRY: "http://[::1]:1" };
    const run = (...args: string[]) => runOccupancy(args, { env });

    for (const args of [["request"], ["server"], ["doctor"]]) {
      const { stderr } = await run(...args);
      assert.equal(stderr.split("\n")[0], ANNOUNCEMENT, args.join(" "));
    }
    for (const args of [["--help"], ["request", "--help"], ["request", "-q"]]) {
      const { stderr } = await run(...args);
      assert.ok(!stderr.includes(ANNOUNCEMENT), args.join(" "));
    }
    await Deno.mkdir(`${cache.path}/npm/registry.example/mqtt`, {
      recursive: true,
    });
    const { stderr } = await run("request");
    assert.ok(!stderr.includes(ANNOUNCEMENT), stderr);
  },
});

Deno.test({
  name:
    "a command whose packages cannot be downloaded says which, why, and what to do",
  ...needs(),
  fn: async () => {
    await using cache = await tempDir();
    const env = { DENO_DIR: cache.path, NPM_CONFIG_REGISTRY: "http://[::1]:1" };
    for (
      const args of [
        ["server"],
        ["request"],
        ["client", "--file", "client2.json"],
        ["doctor"],
        ["simulate"],
      ]
    ) {
      const { code, stderr } = await runOccupancy(args, { env });
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /^occupancy: Cannot download the npm package \S+@\d\S*: \S.*[^.]\n {2}hint: Connect this machine to the network /m,
      );
      assert.doesNotMatch(stderr, /bug|Internal error|\\n|\\x1b/, stderr);
    }
  },
});

Deno.test({
  name: "server announces the packages that its settings need",
  ...needs(),
  fn: async () => {
    const info = new Deno.Command(Deno.execPath(), {
      args: ["info", "--json"],
    });
    const { stdout } = await info.output();
    const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
    await using cache = await tempDir();
    // Only the log is in the cache. The embedded broker needs a package for
    // WebSocket, and a store in Redis one.
    for (const { name } of Deno.readDirSync(npmCache)) {
      const folder = `${cache.path}/npm/${name}`;
      await Deno.mkdir(folder, { recursive: true });
      await using copy = new Running("cp", [
        "-r",
        `${npmCache}/${name}/@logtape`,
        folder,
      ]);
      await copy.ended();
    }
    for (
      const options of [
        ["--listen-ws", "127.0.0.1:0"],
        ["--store", "redis://127.0.0.1:1", "--broker", "mqtt://127.0.0.1:1"],
      ]
    ) {
      const { stderr } = await runOccupancy(
        ["server", "--no-http", ...options],
        {
          env: { DENO_DIR: cache.path, HTTPS_PROXY: "http://[::1]:1" },
        },
      );
      assert.equal(stderr.split("\n")[0], ANNOUNCEMENT);
    }
  },
});
