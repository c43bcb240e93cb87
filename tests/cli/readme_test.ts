/**
 * Every command of the README, as a new user would type it: in a terminal, in a
 * directory with nothing but the checkout, with an empty HOME. A block that
 * cannot be run says so in a comment before it: `<!-- not run: why -->`.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { ROOT } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { TerminalSession } from "./terminal_session.ts";

const README = Deno.permissions.querySync({ name: "read" }).state === "granted"
  ? Deno.readTextFileSync(`${ROOT}README.md`)
  : "";
const BLOCK = /(?:<!-- not run: (.*?) -->\s*)?^```(\w*)\n([^]*?)^```$/gm;
/** What of the checkout the commands of the README use. */
const FILES = ["occupancy", "client1.json", "client2.json"];
/** Commands that a person ends, and what shows that they are at work. */
const ENDLESS: readonly (readonly [RegExp, RegExp])[] = [
  [/--watch --json/, /\d{13}/],
  [/--watch/, /q quit/],
  [/simulate --speed/, /\d/],
  [/curl -N/, /event: changes/],
];

interface Block {
  /** Why it is not run, if it is not. */
  readonly excuse: string | undefined;
  readonly language: string;
  readonly lines: readonly string[];
}

function blocks(): Block[] {
  return [...README.matchAll(BLOCK)].map(([, excuse, language, text]) => ({
    excuse,
    language: language!,
    lines: text!.trimEnd().split("\n"),
  }));
}

Deno.test({
  name: "README: only what is said to be not run is not run, with a reason",
  ...needs(),
  fn: () => {
    const shell = blocks().filter(({ language }) => language === "sh");
    assert.ok(shell.length >= 4);
    const excused = shell.filter(({ excuse }) => excuse !== undefined);
    assert.ok(excused.length <= 1, "a README is there to be tried");
    for (const { excuse } of excused) assert.ok(excuse!.length > 10);
    for (const { language } of blocks()) {
      assert.match(language, /^(sh|text|toml|json|ts)$/, "of a known language");
    }
  },
});

Deno.test({
  name: "README: each command works in a clean directory with an empty HOME",
  ...needs("script", "bash", "curl", "jq", "mosquitto_pub", "man"),
  fn: async () => {
    await using folder = await tempDir();
    const home = `${folder.path}/home`;
    await Deno.mkdir(`${home}/.config`, { recursive: true });
    await Deno.mkdir(`${folder.path}/bin`);
    for (const file of FILES) {
      await Deno.symlink(ROOT + file, `${folder.path}/${file}`);
    }
    // The README's script switches on lights; here they say that they are on.
    await folder.file("bin/lights", "#!/bin/sh\necho lights $1\n");
    await Deno.chmod(`${folder.path}/bin/lights`, 0o755);
    // On any port: the usual one may be taken on this machine.
    const port = freePort();
    const httpPort = freePort();
    for (const tool of ["mosquitto_pub", "mosquitto_sub"]) {
      await folder.file(`home/.config/${tool}`, `-p ${port}\n`);
    }
    for (
      const { lines } of blocks().filter(({ language }) => language === "toml")
    ) {
      await folder.file("occupancy.toml", lines.join("\n") + "\n");
    }
    const start = (line: string) =>
      new TerminalSession(line.replace(":8080", `:${httpPort}`), {
        columns: 80,
        rows: 24,
        cwd: folder.path,
        env: {
          HOME: home,
          XDG_CONFIG_HOME: `${home}/.config`,
          XDG_DATA_HOME: "",
          SHELL: "/bin/bash",
          MANPAGER: "cat",
          PATH: [
            `${folder.path}/bin`,
            Deno.execPath().replace(/\/[^/]*$/, ""),
            Deno.env.get("PATH"),
          ].join(":"),
          DENO_DIR: Deno.env.get("DENO_DIR") ?? denoDir(),
          OCCUPANCY_STORE: "",
          ...(/^\S*occupancy server/.test(line)
            ? {
              OCCUPANCY_LISTEN: `127.0.0.1:${port}`,
              OCCUPANCY_HTTP: `127.0.0.1:${httpPort}`,
            }
            : { OCCUPANCY_BROKER: `mqtt://127.0.0.1:${port}` }),
        },
      });

    const shell = blocks().filter(({ language, excuse }) =>
      language === "sh" && excuse === undefined
    );
    const servers: TerminalSession[] = [];
    try {
      for (const line of shell.flatMap(commandsOf)) {
        if (/^\S*occupancy server/.test(line)) {
          const server = start(line);
          servers.push(server);
          await server.shows(/no errors/);
          continue;
        }
        await using session = start(line);
        const endless = ENDLESS.find(([command]) => command.test(line));
        if (endless) {
          await session.shows(endless[1]);
          await session.type("\x03");
        }
        const code = await session.ended();
        const fine = endless
          ? [0, 130]
          : /--test/.test(line)
          ? [0, 10, 11]
          : [0];
        assert.ok(fine.includes(code), `${line}: ${code}\n${session.output}`);
        assert.doesNotMatch(session.output, /occupancy: |not found/, line);
      }
      assert.equal(servers.length, 1);
      // It has kept the map where the README says.
      assert.match(servers[0]!.output, /home\/.*\/occupancy-server\.sqlite/);
      await servers[0]!.type("\x03");
      assert.equal(await servers[0]!.ended(), 0);
    } finally {
      for (const server of servers) await server[Symbol.asyncDispose]();
    }
  },
});

/** The commands of a block; one that goes on in the background is one with the rest. */
function commandsOf({ lines }: Block): string[] {
  const bare = lines.map((line) => line.replace(/\s+#\s.*$/, ""))
    .filter((line) => line !== "");
  return bare.some((line) => / & /.test(line)) ? [bare.join("\n")] : bare;
}

/** Where this Deno keeps packages: an empty HOME must not make it fetch them again. */
function denoDir(): string {
  return `${Deno.env.get("HOME")}/.cache/deno`;
}
