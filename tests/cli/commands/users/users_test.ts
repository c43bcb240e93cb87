/** `occupancy users` as a process: in a pipe and in a terminal. */
import assert from "node:assert/strict";
import {
  parsePasswordHash,
  verifyPassword,
} from "../../../../src/broker/access/password.ts";
import { parseUsers } from "../../../../src/broker/access/users_file.ts";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import {
  type Ended,
  forEachAtOnce,
  runOccupancy,
} from "../../../support/processes.ts";
import { tempDir } from "../../../support/temp.ts";
import { ours, TerminalSession } from "../../terminal_session.ts";

const HASH =
  "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const TERMINAL = { columns: 100, rows: 20, env: { NO_COLOR: "1" } };

function users(file: string, args: string[], input?: string): Promise<Ended> {
  return runOccupancy(
    ["users", ...args, "--users", file],
    input === undefined ? {} : { input },
  );
}

/** Runs it in a terminal; the launcher's permissions, and those to write. */
function session(file: string, ...args: string[]): TerminalSession {
  const all = ["users", ...args, "--users", file];
  return new TerminalSession(
    `exec ${ours(all, "--allow-write", "--allow-run")}`,
    TERMINAL,
  );
}

async function hasPassword(file: string, name: string, password: string) {
  const { users } = parseUsers(await Deno.readTextFile(file), file);
  return await verifyPassword(
    new TextEncoder().encode(password),
    users.get(name)!.password!,
  );
}

Deno.test({
  name: "users are added, changed, listed and deleted in a pipe",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = `${folder.path}/users`;
    const added = await users(file, ["add", "alice"], "geheim\nmore\n");
    assert.equal(added.code, 0, added.stderr);
    assert.equal(added.stdout, "");
    assert.equal(added.stderr, `Added alice to ${file}\n`);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.ok(await hasPassword(file, "alice", "geheim"));
    for (
      const [args, input] of [
        [["add", "--administrator", "root"], "r\r\n"],
        [["add", "--certificate", "sensor-1"], ""],
        [["passwd", "alice"], "neu, mit Ä"],
      ] as const
    ) {
      const ended = await users(file, [...args], input);
      assert.equal(ended.code, 0, ended.stderr);
    }
    assert.ok(await hasPassword(file, "alice", "neu, mit Ä"));
    assert.ok(await hasPassword(file, "root", "r"));
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(
      file,
      `${text}  # its own topic\n  publish occupancy/data/%u\n  deny subscribe a/#\n`,
    );
    const tsv = await users(file, ["list"]);
    assert.deepEqual(tsv.stdout.split("\n"), [
      "alice\tuser\tpassword\tdefaults",
      "root\tadministrator\tpassword\tall",
      "sensor-1\tuser\tcertificate\t2 rules",
      "",
    ]);
    const json = await users(file, ["list", "--json"]);
    const objects = json.stdout.trim().split("\n").map((one) =>
      JSON.parse(one)
    );
    assert.deepEqual(objects[2], {
      user: "sensor-1",
      administrator: false,
      login: "certificate",
      defaults: false,
      rules: [
        { action: "publish", topic: "occupancy/data/%u" },
        { deny: true, action: "subscribe", topic: "a/#" },
      ],
    });
    assert.ok(!tsv.stdout.includes("$scrypt") && !json.stdout.includes("$s"));
    const deleted = await users(file, ["delete", "root", "sensor-1"]);
    assert.equal(
      deleted.stderr,
      `Deleted root from ${file}\nDeleted sensor-1 from ${file}\n`,
    );
    assert.match(await Deno.readTextFile(file), /^# .*\nuser alice \$.*\n$/);
    assert.deepEqual(
      [...Deno.readDirSync(folder.path)].map(({ name }) => name),
      ["users"],
    );
  },
});

Deno.test({
  name: "an existing file keeps its mode for owner and group",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("users", `user bob ${HASH}\n`);
    await Deno.chmod(file, 0o644);
    assert.equal((await users(file, ["add", "alice"], "x")).code, 0);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o640);
  },
});

Deno.test({
  name: "errors name what is wrong, and change nothing",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const content = `# Mine\nuser bob ${HASH}\n`;
    const file = await folder.file("users", content);
    const bad = await folder.file("bad", "user bob\nusr x\n");
    const missing = `${folder.path}/missing`;
    const locked = await folder.file("locked", content);
    await folder.file("locked.new", "");
    const link = `${folder.path}/link`;
    await Deno.symlink(file, link);
    const cases: [string, string[], number, RegExp, RegExp][] = [
      [file, ["add", "bob"], 1, /There is a user bob already/, /passwd/],
      [file, ["add"], 2, /Missing user after occupancy users add/, /Name/],
      [file, ["add", "a/b"], 2, /"a\/b" has \/, which topics use/, /one word/],
      [
        file,
        ["add", "carol", "secret"],
        2,
        /Unexpected argument after the user$/m,
        /never written on the command line/,
      ],
      [file, ["passwd", "carol"], 1, /no user carol/, /Nothing was changed/],
      [file, ["passwd"], 2, /Missing user after/, /users list/],
      [file, ["delete", "bob", "carol"], 1, /no user carol/, /Nothing/],
      [file, ["delete"], 2, /Missing user after/, /users list/],
      [file, ["list", "bob"], 2, /Unexpected argument: bob/, /all users/],
      [file, ["rename", "bob"], 2, /rename/, /add/],
      [
        file,
        ["passwd", "--administrator", "bob"],
        2,
        /--administrator with users passwd/,
        /users add/,
      ],
      [bad, ["add", "carol"], 2, /Cannot use .*bad:2: unknown word/, /begins/],
      [bad, ["list"], 2, /Cannot use .*bad:2: unknown word/, /begins/],
      [missing, ["list"], 1, /No such file: .*missing/, /users add/],
      [missing, ["passwd", "bob"], 1, /No such file/, /users add/],
      [missing, ["delete", "bob"], 1, /No such file/, /users add/],
      [
        locked,
        ["passwd", "bob"],
        1,
        /Cannot change .*: .*locked.new exists/,
        /delete .*locked.new/,
      ],
      [link, ["passwd", "bob"], 1, /is a symbolic link/, /leads/],
      [
        `${folder.path}/no/users`,
        ["add", "bob"],
        1,
        /Cannot write .*no\/users/,
        /folder/,
      ],
    ];
    await forEachAtOnce(cases, async ([path, args, code, message, hint]) => {
      assertFailure(await users(path, args, "x\n"), code, message, hint);
    });
    for (const input of ["", "\n", "\r\n", `${"x".repeat(1025)}\n`]) {
      assertFailure(
        await users(file, ["passwd", "bob"], input),
        2,
        /password is (empty|over 1024 bytes)/,
      );
    }
    assertFailure(
      await runOccupancy(["users", "list"]),
      2,
      /Missing --users|--users/,
    );
    assert.equal(await Deno.readTextFile(file), content);
  },
});

Deno.test({
  name: "in a terminal, the password is asked twice and not shown",
  ...needs("script"),
  fn: async () => {
    await using folder = await tempDir();
    const file = `${folder.path}/users`;
    await using add = session(file, "add", "alice");
    await add.shows(/New password of alice: $/);
    // Mistakes are corrected: a character of two bytes, then the whole line.
    await add.type("wrong\x15geheimÄ\x7f\r");
    await add.shows(/The same again: $/);
    await add.type("geheim\r");
    assert.equal(await add.ended(), 0);
    assert.match(add.output, /Added alice to /);
    assert.doesNotMatch(add.output, /geheim|wrong/);
    assert.ok(await hasPassword(file, "alice", "geheim"));

    await using differ = session(file, "passwd", "alice");
    await differ.shows(/New password of alice: $/);
    await differ.type("one\rtwo\r"); // typed ahead
    assert.equal(await differ.ended(), 2);
    assert.match(differ.output, /The two passwords differ/);
    assert.ok(await hasPassword(file, "alice", "geheim"), "the old one stays");

    await using list = session(file, "list");
    assert.equal(await list.ended(), 0);
    assert.match(list.output, /^user +role +login +rules\r?$/m);
    assert.match(list.output, /^alice +user +password +defaults\r?$/m);
  },
});

Deno.test({
  name: "the terminal shows what is typed again, however the question ends",
  ...needs("script"),
  fn: async () => {
    await using folder = await tempDir();
    const file = `${folder.path}/users`;
    const all = ["users", "add", "alice", "--users", file];
    const command = ours(all, "--allow-write", "--allow-run");
    const ends: [string, number][] = [["\x03", 130], ["SIGTERM", 143]];
    for (const [end, code] of ends) {
      await using one = new TerminalSession(
        `${command}; echo code $?; stty -a`,
        TERMINAL,
      );
      await one.shows(/New password of alice: $/);
      await one.type("abc\r");
      // It has read all: what arrives after its end is shown.
      await one.shows(/The same again: $/);
      if (end === "SIGTERM") Deno.kill(one.pid, "SIGTERM");
      else await one.type(end);
      assert.equal(await one.ended(), 0);
      assert.match(one.output, new RegExp(`code ${code}`));
      assert.match(one.output, / icanon .*\r?\n.* echo |echo .*icanon| echo /);
      assert.doesNotMatch(one.output, /-icanon|-echo |abc/);
    }
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "a hash of the file is one that the server can use",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const file = `${folder.path}/users`;
    assert.equal((await users(file, ["add", "alice"], "x")).code, 0);
    const text = await Deno.readTextFile(file);
    const parsed = parsePasswordHash(/\$scrypt\S+/.exec(text)![0])!;
    assert.deepEqual(parsed.cost, { ln: 14, r: 8, p: 1 });
  },
});
