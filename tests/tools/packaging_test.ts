/** Workflows, image, unit and launchers name existing files and options. */
import assert from "node:assert/strict";
import { load } from "js-yaml";
import { SERVER } from "../../src/cli/commands/server/options.ts";
import { executableName, TARGETS } from "../../tools/compile/executable.ts";
import { documentedSettings } from "../support/documented_settings.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";

const WORKFLOWS = ["checks", "release"].map((name) =>
  `.github/workflows/${name}.yml`
);

function read(file: string): string {
  return Deno.readTextFileSync(ROOT + file);
}

/** Returns all matches of the first group in a file. */
function matches(file: string, pattern: RegExp): string[] {
  return Array.from(read(file).matchAll(pattern), (match) => match[1]!);
}

Deno.test({
  name: "all files name the same version of Deno",
  ...needs(),
  fn: () => {
    const [pinned] = matches("occupancy", /^version=(\d+\.\d+\.\d+)$/gm);
    assert.ok(pinned);
    const named = [
      ...matches("occupancy.cmd", /deno@(\d+\.\d+\.\d+)/g),
      ...matches(".ci/run", /deno@(\d+\.\d+\.\d+)/g),
      ...matches("packaging/Dockerfile", /^FROM denoland\/deno:(\S+)/gm),
      ...WORKFLOWS.flatMap((file) =>
        matches(file, /deno-version: (\d+\.\d+\.\d+)/g)
      ).filter((version) => version !== "2.6.8"), // the oldest supported version
    ];
    assert.ok(named.length >= 7);
    assert.deepEqual(new Set(named), new Set([pinned]));
  },
});

Deno.test({
  name: "the workflows pin every action to one version",
  ...needs(),
  fn: () => {
    const used = WORKFLOWS.flatMap((file) => matches(file, /uses: (\S+)/g))
      .filter((name) => !name.startsWith("./"));
    assert.ok(used.length >= 8);
    assert.deepEqual(
      used.filter((name) => !/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/.test(name)),
      [],
    );
  },
});

Deno.test({
  name: "the release tests every executable on its own system",
  ...needs(),
  fn: () => {
    const labels = matches(
      ".github/workflows/release.yml",
      /\{ os: [\w.-]+, label: ([\w.-]+) \}/g,
    );
    assert.deepEqual(
      labels.map((label) => `occupancy-1.2.3-${label}`),
      TARGETS.map((target) => executableName("1.2.3", target)),
    );
  },
});

Deno.test({
  name: "the image copies existing files, and its context has only these",
  ...needs(),
  fn: () => {
    const copied = matches("packaging/Dockerfile", /^COPY (?!--)(.+) \S+$/gm)
      .flatMap((names) => names.split(" "));
    const included = matches(
      "packaging/Dockerfile.dockerignore",
      /^!(\S+)$/gm,
    );
    assert.deepEqual(new Set(copied), new Set(included));
    for (const name of copied) Deno.statSync(ROOT + name);
  },
});

Deno.test({
  name: "the unit allows V8 to compile code, and writes to the store only",
  ...needs(),
  fn: () => {
    const unit = read("packaging/occupancy.service");
    for (
      const line of [
        "MemoryDenyWriteExecute=no",
        "ProtectSystem=strict",
        "StateDirectory=occupancy",
        "Environment=OCCUPANCY_STORE=sqlite:/var/lib/occupancy/occupancy.sqlite",
        "NoNewPrivileges=yes",
      ]
    ) assert.ok(unit.split("\n").includes(line), line);
  },
});

Deno.test({
  name: "the launcher for Windows runs Deno with the same options",
  ...needs(),
  fn: () => {
    // permissions_test.ts compares the permissions.
    const flags = (file: string) =>
      new Set(matches(file, /(?<=[\s=])(--(?!allow-|ignore-)[\w-]+)/g));
    assert.deepEqual(flags("occupancy.cmd"), flags("occupancy"));
    const lines = read("occupancy.cmd").split("\n").slice(0, -1);
    assert.ok(lines.every((line) => line.endsWith("\r")), "cmd.exe needs CRLF");
  },
});

Deno.test({
  name: "every task and launcher uses the committed deno.lock",
  ...needs(),
  fn: () => {
    // deno.json has no lock file, because `deno task` would download all its
    // packages before it runs a task.
    const { tasks, lock } = JSON.parse(read("deno.json"));
    assert.equal(lock, false);
    const commands = Object.values<{ command: string }>(tasks)
      .flatMap(({ command }) => command.split(" && "))
      .map((command) => command.replace("DENO_NO_UPDATE_CHECK=1 ", ""))
      .filter((command) => /^deno (run|test|check|bench)\b/.test(command));
    assert.ok(commands.length > 10);
    assert.deepEqual(
      commands.filter((command) => !/ --lock --frozen(=false)? /.test(command)),
      [],
    );
  },
});

Deno.test({
  name: "the compose file builds the image and mounts existing files",
  ...needs(),
  fn: () => {
    const { services, secrets, volumes } = load(
      read("packaging/compose.yaml"),
    ) as Compose;
    const { mosquitto, occupancy } = services;
    const { context, dockerfile } = occupancy!.build!;
    Deno.statSync(`${ROOT}packaging/${context}/${dockerfile}`);
    const [config] = mosquitto!.volumes[0]!.split(":");
    Deno.statSync(`${ROOT}packaging/${config}`);
    const named = [mosquitto!.volumes[1]!, occupancy!.volumes[0]!]
      .map((volume) => volume.split(":")[0]);
    assert.deepEqual(Object.keys(volumes), named);
    assert.equal(occupancy!.volumes[0]!.split(":")[1], "/data");
    const ignored = read(".gitignore").split("\n");
    for (const { file } of Object.values(secrets)) {
      assert.ok(ignored.includes(`packaging/${file.slice(2)}`), file);
    }
  },
});

Deno.test({
  name: "the compose file's Mosquitto has the documented settings",
  ...needs(),
  fn: async () => {
    const settings = read("packaging/mosquitto.conf").split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    assert.deepEqual(settings, [
      "listener 1883",
      "allow_anonymous true",
      ...await documentedSettings("/mosquitto/data"),
    ]);
  },
});

Deno.test({
  name:
    "the settings of unit, image and compose file are options of the server",
  ...needs(),
  fn: () => {
    const known = new Set(
      SERVER.options.map(({ name }) =>
        `OCCUPANCY_${name.replaceAll("-", "_").toUpperCase()}`
      ),
    );
    const files = ["occupancy.service", "Dockerfile", "compose.yaml"];
    const used = files.flatMap((file) =>
      matches(`packaging/${file}`, /\b(OCCUPANCY_[A-Z_]+)\b/g)
    ).filter((name) => name !== "OCCUPANCY_COMMIT"); // of the build
    assert.ok(used.length >= 5);
    assert.deepEqual(used.filter((name) => !known.has(name)), []);
  },
});

/** The fields of compose.yaml that are checked. */
interface Compose {
  readonly services: Record<string, {
    readonly build?: { readonly context: string; readonly dockerfile: string };
    readonly volumes: readonly string[];
  }>;
  readonly secrets: Record<string, { readonly file: string }>;
  readonly volumes: Record<string, unknown>;
}
