/** Changes of the text of a users file. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  addUser,
  deleteUser,
  setPassword,
} from "../../../src/broker/access/users_edit.ts";
import { parseUsers } from "../../../src/broker/access/users_file.ts";

const HASH =
  "$scrypt$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const OTHER = HASH.replace("ln=4", "ln=5");

const FILE = `# Our users
user alice ${HASH}  # first floor
  # only this one
  publish occupancy/data/alice/#

# the second one
user bob
  publish occupancy/data/bob/#

# for all
all
  publish home/#
`;

Deno.test({
  name: "a new user is added at the end",
  permissions: "none",
  fn: () => {
    const carol = { name: "carol", isAdministrator: false, password: HASH };
    assert.equal(addUser(FILE, carol), `${FILE}user carol ${HASH}\n`);
    assert.equal(
      addUser("user bob", { ...carol, isAdministrator: true }),
      `user bob\nadministrator carol ${HASH}\n`,
    );
    const first = addUser("", { ...carol, password: undefined });
    assert.match(first, /^# .*\nuser carol\n$/);
    assert.deepEqual([...parseUsers(first, "f").users.keys()], ["carol"]);
  },
});

Deno.test({
  name: "a new password changes nothing else",
  permissions: "none",
  fn: () => {
    assert.equal(setPassword(FILE, "alice", OTHER), FILE.replace(HASH, OTHER));
    assert.equal(
      setPassword(FILE, "bob", OTHER),
      FILE.replace("user bob", `user bob ${OTHER}`),
    );
    const windows = FILE.replaceAll("\n", "\r\n");
    assert.equal(
      setPassword(windows, "bob", OTHER),
      windows.replace("user bob", `user bob ${OTHER}`),
    );
    // The name of one is a part of the other's, or a pattern.
    const similar = "user a.b\nuser a\nuser aXb\n";
    assert.equal(
      setPassword(similar, "a.b", OTHER),
      similar.replace("a.b", `a.b ${OTHER}`),
    );
    assert.equal(
      setPassword(similar, "a", OTHER),
      similar.replace("user a\n", `user a ${OTHER}\n`),
    );
  },
});

Deno.test({
  name: "a deleted user takes its rules along, and no other line",
  permissions: "none",
  fn: () => {
    assert.equal(
      deleteUser(FILE, "alice"),
      `# Our users

# the second one
user bob
  publish occupancy/data/bob/#

# for all
all
  publish home/#
`,
    );
    const left = deleteUser(deleteUser(FILE, "bob"), "alice");
    assert.equal(
      left,
      `# Our users

# the second one

# for all
all
  publish home/#
`,
    );
    assert.equal(parseUsers(left, "f").users.size, 0);
    assert.equal(deleteUser("user a\nuser b", "b"), "user a");
  },
});

Deno.test({
  name: "changes of any file leave all other users, rules and comments",
  permissions: "none",
  fn: () => {
    const names = ["a", "b", "c", "d"];
    const section = (name: string) =>
      fc.tuple(
        fc.constantFrom("user ", "\tuser  ", "administrator "),
        fc.constantFrom("", ` ${HASH}`, " # comment", ` ${HASH}\t# comment`),
        fc.subarray(["# x", "", "  publish a/#", "deny subscribe b # x"]),
      ).map(([keyword, rest, lines]) => [
        keyword + name + rest,
        ...lines.filter((line) =>
          keyword.includes("user") || !/publish|deny/.test(line)
        ),
      ]);
    const all = fc.subarray(["# for all", "all", "\tsubscribe news"]);
    const file = fc.tuple(
      fc.shuffledSubarray(names),
      fc.tuple(...names.map(section)),
      all.filter((lines) => lines.includes("all")),
      fc.constantFrom("\n", "\r\n"),
      fc.constantFrom("", "\n"),
    ).map(([chosen, sections, all, end, last]) =>
      chosen.flatMap((name) => sections[names.indexOf(name)]!).concat(all)
        .join(end) + last
    );
    fc.assert(fc.property(file, fc.constantFrom(...names), (text, name) => {
      const before = parseUsers(text, "f");
      const withoutName = (changed: string) => {
        const { users, ...rest } = parseUsers(changed, "f");
        const others = [...users.values()]
          .filter((user) => user.name !== name)
          .map(({ line: _, ...user }) => user);
        const comments = changed.split(/\r?\n/)
          .filter((line) => line.startsWith("#")).length;
        return { others, comments, rest: rest.all.rules };
      };
      const expected = withoutName(text);
      if (!before.users.has(name)) {
        const added = addUser(text, {
          ...{ name, isAdministrator: false, password: HASH },
        });
        assert.deepEqual(withoutName(added), expected);
        assert.equal(parseUsers(added, "f").users.get(name)!.hasDefaults, true);
        return;
      }
      const changed = setPassword(text, name, OTHER);
      assert.deepEqual(withoutName(changed), expected);
      const { password, rules } = parseUsers(changed, "f").users.get(name)!;
      assert.equal(password!.text, OTHER);
      assert.deepEqual(rules, before.users.get(name)!.rules);
      const deleted = deleteUser(text, name);
      const { others, rest } = withoutName(deleted);
      assert.deepEqual([others, rest], [expected.others, expected.rest]);
      assert.ok(!parseUsers(deleted, "f").users.has(name));
    }));
  },
});
