/**
 * Runs every command of README.md and docs/USING.md as a new user would: in a
 * terminal, in a directory with only the files of the checkout, with an empty
 * HOME. The comment `<!-- not run: why -->` before a block excludes the block.
 * Each section of the README has its own server; USING.md has one server.
 */
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";
import { freePort, type TempDir, tempDir } from "../support/temp.ts";
import { TerminalSession } from "./terminal_session.ts";

const README = read("README.md");
const USING = read("docs/USING.md");
const BLOCK = /(?:<!-- not run: (.*?) -->\s*)?^```(\w*)\n([^]*?)^```$/gm;
/** The files of the checkout that the commands use. */
const FILES = ["occupancy", "client1.json", "client2.json"];
/** Commands that the user ends, with the output that shows that they work. */
const ENDLESS: readonly (readonly [RegExp, RegExp])[] = [
  [/--watch --json/, /\d{13}/],
  [/--watch/, /q quit/],
];
const SERVER = /^\S*occupancy server/;
const OWN_BROKER = /--broker mqtt:\/\/localhost:1883/;

interface Block {
  /** Why the block is not run; undefined if it is run. */
  readonly reason: string | undefined;
  readonly language: string;
  readonly lines: readonly string[];
}

interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Returns the parts of a document that have blocks of code. */
function sections(parts: readonly string[]): Section[] {
  return parts.map((text) => ({
    title: text.split("\n")[0]!.replace(/^#+ /, ""),
    blocks: [...text.matchAll(BLOCK)].map(([, reason, language, code]) => ({
      reason,
      language: language!,
      lines: code!.trimEnd().split("\n"),
    })),
  })).filter(({ blocks }) => blocks.length > 0);
}

const README_SECTIONS = sections(README.split(/^## /m));
const ALL_SECTIONS = [...README_SECTIONS, ...sections([USING])];

/** Returns the sections with commands to run. */
function scenarios(from: readonly Section[]) {
  return from.map(({ title, blocks }) => ({
    title,
    commands: blocks
      .filter(({ language, reason }) => language === "sh" && !reason)
      .flatMap(commandsOf),
    toml: blocks.filter(({ language }) => language === "toml")
      .flatMap(({ lines }) => lines),
  })).filter(({ commands }) => commands.length > 0);
}

Deno.test({
  name: "documents: a block of commands that is not run has a reason",
  ...needs(),
  fn: () => {
    const blocks = ALL_SECTIONS.flatMap(({ blocks }) => blocks);
    const shell = blocks.filter(({ language }) => language === "sh");
    assert.ok(shell.length >= 4);
    const skipped = shell.filter(({ reason }) => reason !== undefined);
    assert.ok(skipped.length <= 1, "almost all commands are run");
    for (const { reason } of skipped) assert.ok(reason!.length > 10);
    for (const { language } of blocks) {
      assert.match(language, /^(sh|text|toml|json|ts)$/, "a known language");
    }
    assert.equal(scenarios(README_SECTIONS).length, 3, "three short paths");
  },
});

for (const { title, commands, toml } of scenarios(ALL_SECTIONS)) {
  Deno.test({
    name: `documents: ${title}: each command works in a clean directory`,
    ...needs(
      "script",
      "bash",
      "curl",
      "jq",
      "man",
      "mosquitto",
      "mosquitto_pub",
    ),
    fn: async () => {
      await using folder = await cleanDirectory();
      // Free ports, because the default ones may be in use.
      const needsBroker = commands.some((line) => OWN_BROKER.test(line));
      await using mosquitto = needsBroker ? await startMosquitto() : undefined;
      const ports = { mqtt: mosquitto?.port ?? freePort(), http: freePort() };
      for (const tool of ["mosquitto_pub", "mosquitto_sub"]) {
        await folder.file(`home/.config/${tool}`, `-p ${ports.mqtt}\n`);
      }
      await folder.file("occupancy.toml", toml.join("\n") + "\n");
      const start = (line: string) => startCommand(line, folder.path, ports);
      await using servers = new AsyncDisposableStack();
      let server: TerminalSession | undefined;
      for (const line of commands) {
        if (SERVER.test(line)) {
          server = servers.use(start(line));
          await server.shows(/no errors/);
        } else await runCommand(line, start);
      }
      assert.ok(server, "a server was started");
      // The default place of the map.
      assert.match(server.output, /home\/.*\/occupancy-server\.sqlite/);
      await server.type("\x03");
      assert.equal(await server.ended(), 0);
    },
  });
}

/**
 * Runs a command to its end; one without an end until it prints the expected
 * output.
 */
async function runCommand(
  line: string,
  start: (line: string) => TerminalSession,
): Promise<void> {
  await using session = start(line);
  const endless = ENDLESS.find(([command]) => command.test(line));
  if (endless) {
    await session.shows(endless[1]);
    await session.type("\x03");
  }
  const code = await session.ended();
  const allowed = endless ? [0, 130] : /--test/.test(line) ? [0, 10, 11] : [0];
  assert.ok(allowed.includes(code), `${line}: ${code}\n${session.output}`);
  assert.doesNotMatch(session.output, /occupancy: |not found/, line);
}

/**
 * Creates a directory with the files that the README uses, and an empty HOME.
 */
async function cleanDirectory(): Promise<TempDir> {
  const folder = await tempDir();
  await Deno.mkdir(`${folder.path}/home/.config`, { recursive: true });
  await Deno.mkdir(`${folder.path}/bin`);
  for (const file of FILES) {
    await Deno.symlink(ROOT + file, `${folder.path}/${file}`);
  }
  // Replaces the program `lights` of the README.
  await folder.file("bin/lights", "#!/bin/sh\necho lights $1\n");
  await Deno.chmod(`${folder.path}/bin/lights`, 0o755);
  return folder;
}

/** Starts a command of the README in a terminal, on other ports. */
function startCommand(
  line: string,
  folder: string,
  ports: { readonly mqtt: number; readonly http: number },
): TerminalSession {
  const command = line
    .replace("127.0.0.1:8080", `127.0.0.1:${ports.http}`)
    .replace("localhost:1883", `127.0.0.1:${ports.mqtt}`)
    .replace("0.0.0.0:1883", `127.0.0.1:${ports.mqtt}`);
  const isServer = SERVER.test(command);
  const named = /--listen|--broker/.test(command);
  return new TerminalSession(command, {
    columns: 80,
    rows: 24,
    cwd: folder,
    env: {
      HOME: `${folder}/home`,
      XDG_CONFIG_HOME: `${folder}/home/.config`,
      XDG_DATA_HOME: "",
      SHELL: "/bin/bash",
      MANPAGER: "cat",
      PATH: [
        `${folder}/bin`,
        Deno.execPath().replace(/\/[^/]*$/, ""),
        Deno.env.get("PATH"),
      ].join(":"),
      DENO_DIR: Deno.env.get("DENO_DIR") ?? denoDir(),
      OCCUPANCY_STORE: "",
      OCCUPANCY_URL: `127.0.0.1:${ports.http}`,
      OCCUPANCY_HTTP: isServer || /doctor/.test(command)
        ? `127.0.0.1:${ports.http}`
        : "",
      ...(!named && isServer &&
        { OCCUPANCY_LISTEN: `127.0.0.1:${ports.mqtt}` }),
      ...(!named && !isServer &&
        { OCCUPANCY_BROKER: `mqtt://127.0.0.1:${ports.mqtt}` }),
    },
  });
}

/**
 * Returns the commands of a block. If one runs in the background, all are one
 * command.
 */
function commandsOf({ lines }: Block): string[] {
  const bare = lines.map((line) => line.replace(/\s+#\s.*$/, ""))
    .filter((line) => line !== "");
  return bare.some((line) => / & /.test(line)) ? [bare.join("\n")] : bare;
}

/**
 * Returns Deno's cache, so that no packages are downloaded for the empty HOME.
 */
function denoDir(): string {
  return `${Deno.env.get("HOME")}/.cache/deno`;
}

/** A document's text; empty where tests may not read files. */
function read(path: string): string {
  const { state } = Deno.permissions.querySync({ name: "read" });
  return state === "granted" ? Deno.readTextFileSync(ROOT + path) : "";
}
