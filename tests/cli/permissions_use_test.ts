/** What commands do with their permissions, and what they cannot do. */
import assert from "node:assert/strict";
import { SMALL_PNG } from "../http/plans_fixture.ts";
import { needs } from "../support/needs.ts";
import {
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { launched } from "./launched.ts";

Deno.test({
  name: "a command with all permissions gives up the kinds that it never uses",
  ...needs(),
  fn: async () => {
    const states = async (...args: string[]) => {
      const code = `
        const { run } = await import(${
        JSON.stringify(`${ROOT}src/cli/program.ts`)
      });
        const show = () => {
          console.error("left: " + ["net", "write", "run"].filter((name) =>
            Deno.permissions.querySync({ name }).state === "granted").join());
          Deno.exit();
        };
        setTimeout(show, 8000);
        if (Deno.args[0] === "server") {
          const write = Deno.stderr.writeSync.bind(Deno.stderr);
          Deno.stderr.writeSync = (data) => {
            const ready = new TextDecoder().decode(data).includes("Ready");
            const written = write(data);
            if (ready) show();
            return written;
          };
        }
        await run(Deno.args);
        show();`;
      await using folder = await tempDir();
      const script = await folder.file("run.ts", code);
      await using running = new Running(Deno.execPath(), [
        ...["run", "--allow-all", "--quiet", "--config", `${ROOT}deno.json`],
        ...[script, ...args],
      ]);
      const { stderr } = await running.ended();
      return /left: (.*)/.exec(stderr)?.[1] ?? stderr;
    };
    const broker = ["--broker", "127.0.0.1:1", "--timeout", "1s"];
    const none = ["--listen", "127.0.0.1:0", "--store"];
    await using folder = await tempDir();
    assert.equal(await states("man"), "");
    assert.equal(await states("completions", "bash"), "");
    assert.equal(await states("config"), "run");
    assert.equal(await states("request", ...broker), "net,run");
    assert.equal(await states("client", "client1.json", ...broker), "net,run");
    assert.equal(await states("server", ...none, "memory:"), "net");
    assert.equal(
      await states("server", ...none, `sqlite:${folder.path}/map.sqlite`),
      "net,write",
    );
  },
});

/** What a package with bad intent would try, one line of output each. */
const PROBES = `
const [folder] = Deno.args;
const attempts = {
  readPassword: () => Deno.readTextFile("/etc/passwd"),
  writeElsewhere: () => Deno.writeTextFile("/tmp/occupancy-probe", ""),
  writeStore: () => Deno.writeTextFile(folder + "/probe", ""),
  connect: () => Deno.connect({ hostname: "127.0.0.1", port: 1 }),
  run: () => new Deno.Command("sh", { args: ["-c", "true"] }).output(),
  userId: () => Deno.uid(),
  loadLibrary: () => Deno.dlopen("libc.so.6", {}),
  importRemote: () => import(["https://jsr.io", "x.ts"].join("/")),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    console.log(name, "allowed");
  } catch (error) {
    const denied = error instanceof Deno.errors.NotCapable ||
      /no-remote/.test(error.message);
    console.log(name, denied ? "denied" : String(error));
  }
}
console.log("secret", Deno.env.get("SOME_SECRET"));
console.log("list", Object.keys(Deno.env.toObject()).includes("SOME_SECRET"));
`;

Deno.test({
  name: "code in a server from the launcher can reach only store and addresses",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const script = await folder.file("probe.ts", PROBES);
    const store = `${folder.path}/store`;
    await Deno.mkdir(store);
    const words = ["server", "--store", `sqlite:${store}/map.sqlite`];
    const args = await launched(words);
    const main = args.indexOf(`${ROOT}main.ts`);
    const env = { SOME_SECRET: "1" };
    await using probe = new Running(Deno.execPath(), [
      ...args.slice(0, main),
      script,
      store,
    ], { env });
    const { stdout, stderr } = await probe.ended();
    assert.deepEqual(stdout.trim().split("\n"), [
      "readPassword denied",
      "writeElsewhere denied",
      "writeStore allowed",
      "connect denied",
      "run denied",
      "userId denied",
      "loadLibrary denied",
      "importRemote denied",
      "secret undefined",
      "list false",
    ], stderr);
  },
});

Deno.test({
  name: "each command works with the permissions that the launcher gives it",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const cwd = folder.path;
    await folder.file("floor 1.csv", "x,y,value\n1,2,3\n");
    // As Kubernetes mounts secrets: links, so that all files change at once.
    await folder.file("token-1", "0123456789abcdef");
    await Deno.symlink("token-1", `${cwd}/token`);
    const port = freePort();
    const listen = `127.0.0.1:${port}`;
    const broker = ["--broker", `localhost:${port}`];
    const server = (...more: string[]) =>
      occupancy([
        ...["server", "--listen", listen, "--http", "127.0.0.1:0"],
        ...["--http-token-file", "token", "--store=sqlite:new/map.sqlite"],
        ...more,
      ], { cwd });
    const works = async (line: string, output: RegExp, more: string[] = []) => {
      const words = [...line.split(" "), ...more];
      const { code, stdout, stderr } = await runOccupancy(words, { cwd });
      assert.equal(code, 0, `${line}\n${stderr}`);
      assert.match(stdout, output);
    };
    await using running = server();
    await running.waitFor(/Ready/);
    await works("client", /1\t2\t3/, ["floor 1.csv", ...broker]);
    await works("simulate --count 5", /^/, broker);
    await works("request --at 1,2", /1\t2\t3/, broker);
    await works(
      `doctor --store sqlite:new/map.sqlite`,
      /used by a running server/,
      [
        ...["--listen", listen, "--http", "off"],
      ],
    );
    await works("config server", /^occupancy server/);
    await works("completions bash", /_occupancy/);
    await works("man", /\.TH OCCUPANCY/);
    await works("--version", /^occupancy \d/);
    running.kill();
    assert.equal((await running.ended()).code, 0, running.stderr);
    await works(
      `doctor --store sqlite:new/map.sqlite`,
      /writable and contains/,
      [
        ...["--listen", listen, "--http", "off"],
      ],
    );
    await using again = server();
    await again.waitFor(/Ready/);
    await works("request --at 1,2", /1\t2\t3/, broker);
  },
});

Deno.test({
  name: "an image outside the folder of the map file is refused with advice",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    await Deno.mkdir(`${folder.path}/plans`);
    await folder.file("floor.png", SMALL_PNG);
    await folder.file(
      "plans/maps.json",
      JSON.stringify({ layers: { default: { image: "../floor.png" } } }),
    );
    const { code, stderr } = await runOccupancy(
      ["server", "--http", "127.0.0.1:0", "--map-file", "plans/maps.json"],
      { cwd: folder.path },
    );
    assert.equal(code, 1);
    assert.match(
      stderr,
      /floor\.png: Deno was started without the permission\n {2}hint: .*the folder of the map file/,
    );
  },
});
