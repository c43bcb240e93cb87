/** The users file: what is read from it, and what is refused. */
import assert from "node:assert/strict";
import {
  parseLine,
  parseUsers,
  parseUsersInTurns,
  userNameProblem,
} from "../../../src/broker/access/users_file.ts";
import { AppError } from "../../../src/common/errors.ts";

const HASH =
  "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

Deno.test({
  name: "a file has users, administrators, rules and comments",
  permissions: "none",
  fn: () => {
    const { users, all, anonymous } = parseUsers(
      `# Comment
user alice ${HASH}   # the first one
  publish occupancy/data/%u/#
\tsubscribe   home/my lamp/+  # a filter may have spaces
  deny subscribe home/my lamp/secret

user bob
administrator root ${HASH}\r
user carol ${HASH}
  deny publish occupancy/data/staff/#
user dave ${HASH}
  publish #
  defaults
all            # rules for every user
  publish #
anonymous
  subscribe # # everything
`,
      "users",
    );
    assert.deepEqual([...users.keys()], [
      ...["alice", "bob", "root", "carol", "dave"],
    ]);
    const [alice, bob, root, carol, dave] = [...users.values()];
    assert.deepEqual(alice!.rules, [
      {
        action: "publish",
        denies: false,
        pattern: "occupancy/data/%u/#",
      },
      { action: "subscribe", denies: false, pattern: "home/my lamp/+" },
      { action: "subscribe", denies: true, pattern: "home/my lamp/secret" },
    ]);
    assert.equal(alice!.password!.text, HASH);
    assert.equal(alice!.line, 2);
    assert.equal(alice!.hasDefaults, false, "own rules replace the defaults");
    assert.equal(bob!.password, undefined);
    assert.equal(bob!.hasDefaults, true);
    assert.deepEqual([bob, root].map((one) => one!.isAdministrator), [
      false,
      true,
    ]);
    assert.equal(carol!.hasDefaults, true, "a denial limits the defaults");
    assert.equal(dave!.hasDefaults, true);
    const everything = (action: string) => [
      { action, denies: false, pattern: "#" },
    ];
    assert.deepEqual(all.rules, everything("publish"));
    assert.equal(all.hasDefaults, false);
    assert.deepEqual(anonymous.rules, everything("subscribe"));
    assert.equal(anonymous.hasDefaults, false);
  },
});

Deno.test({
  name: "an empty file has no users; anonymous clients have the defaults",
  permissions: "none",
  fn: () => {
    const { users, all, anonymous } = parseUsers("\n# nothing\n", "users");
    assert.equal(users.size, 0);
    assert.deepEqual([...all.rules, ...anonymous.rules], []);
    assert.deepEqual([all.hasDefaults, anonymous.hasDefaults], [false, true]);
  },
});

Deno.test({
  name: "an error names the file, the line and what is wrong",
  permissions: "none",
  fn: () => {
    const wrong: [string, RegExp][] = [
      ["usr alice", /f:1: unknown word "usr"/],
      ["\n\npublish a", /f:3: publish is not below a user/],
      ["defaults", /f:1: defaults is not below a user/],
      ["user", /f:1: a name must follow user/],
      ["user # x", /f:1: a name must follow user/],
      ["user a/b", /the user name "a\/b" has \/, which topics use/],
      ["user \x1b[31m", /the user name "\\x1b\[31m" has an invisible/],
      ["user a secret", /what follows the name a is not a hash/],
      [`user a ${HASH} more`, /what follows the name a is not a hash/],
      [`user a ${HASH.slice(0, -30)}`, /is not a hash/],
      ["user a\n#\nuser a", /f:3: the user a is in line 1 already/],
      ["user a\nadministrator a", /f:2: the user a is in line 1 already/],
      ["all\nall", /f:2: the section all is in line 1 already/],
      ["anonymous x", /unexpected "x" after anonymous/],
      ["user a\ndefaults x", /unexpected "x" after defaults/],
      ["administrator a\npublish b", /f:2: an administrator has no rules/],
      ["administrator a\ndefaults", /f:2: an administrator has no rules/],
      ["user a\npublish", /f:2: a topic must follow publish/],
      ["user a\ndeny", /f:2: publish or subscribe must follow deny/],
      ["user a\ndeny deny publish b", /publish or subscribe must follow deny/],
      ["user a\ndeny publish", /f:2: a topic must follow publish/],
      ["user a\npublish b#", /the topic "b#" has a wildcard beside other/],
      ["user a\npublish a/#/b", /continues after #/],
      ["user a\npublish a/%x", /"a\/%x" has %x: write %u for the user/],
      ["user a\npublish a%", /has %: write %u/],
    ];
    for (const [text, message] of wrong) {
      assert.throws(() => parseUsers(text, "f"), (error) => {
        assert.ok(error instanceof AppError, text);
        assert.match(error.message, message);
        assert.match(error.message, /^Cannot use f:\d+: /);
        assert.equal(error.exitClass, "usage");
        assert.match(error.hint ?? "", /^[A-Z].*\.$/);
        return true;
      });
    }
  },
});

Deno.test({
  name: "an error never shows a password that was written into the file",
  permissions: "none",
  fn: () => {
    assert.throws(
      () => parseUsers("user alice hunter2", "f"),
      (error) =>
        error instanceof AppError &&
        !`${error.message}${error.hint}`.includes("hunter2"),
    );
  },
});

Deno.test({
  name: "# begins a comment, except in a filter",
  permissions: "none",
  fn: () => {
    const cases: [string, string | undefined][] = [
      ["# x", undefined],
      ["  #x", undefined],
      ["", undefined],
      ["publish #", "#"],
      ["publish  #", "#"],
      ["publish a/#", "a/#"],
      ["publish a/# # x", "a/#"],
      ["publish a/publish # x", "a/publish"],
      ["deny  publish  # # x", "publish  #"],
      ["all # x", ""],
      ["user a # x", "a"],
      ["user a #x", "a"],
    ];
    for (const [line, rest] of cases) {
      assert.equal(parseLine(line)?.rest, rest, line);
    }
  },
});

Deno.test({
  name: "a user name is one level of a topic",
  permissions: "none",
  fn: () => {
    for (const name of ["alice", "sensor-17", "a@b.c", "Jürgen", "$x", "%u"]) {
      assert.equal(userNameProblem(name), undefined, name);
    }
    const wrong = ["", "a b", "a/b", "+", "a#", "a\u200b", "a\ufffd"];
    for (const name of [...wrong, "a\0", "ä".repeat(101)]) {
      assert.ok(userNameProblem(name), name);
    }
  },
});

Deno.test({
  name: "a file of many users is parsed in several turns of the event loop",
  permissions: "none",
  fn: async () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `user u${i} ${HASH}\n  publish data/%u\n`,
    );
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const { users } = await parseUsersInTurns(lines.join(""), "f");
    clearInterval(timer);
    assert.ok(turns > 1, `${turns} turns`);
    assert.equal(users.size, 20_000);
    assert.equal(users.get("u19999")!.line, 39_999);
    await assert.rejects(
      parseUsersInTurns(`${lines.join("")}usr x\n`, "f"),
      /f:40001: unknown word/,
    );
  },
});
