/** Changes of the text of a users file. */
import assert from "node:assert/strict";
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
