/** Logins and rules with users. */
import assert from "node:assert/strict";
import type {
  Identity,
  Login,
  LoginResult,
} from "../../../src/broker/access/access.ts";
import { LoginSlots } from "../../../src/broker/access/login_slots.ts";
import { hashPassword } from "../../../src/broker/access/password.ts";
import { defaultRules } from "../../../src/broker/access/rules.ts";
import { UserAccess } from "../../../src/broker/access/user_access.ts";
import { parseUsers } from "../../../src/broker/access/users_file.ts";
import { LoginFailures } from "../../../src/common/login_failures.ts";
import { Topics } from "../../../src/protocol/mod.ts";

const topics = new Topics();
const bytes = (text: string) => new TextEncoder().encode(text);
const hash = async (password: string) =>
  (await hashPassword(bytes(password), { ln: 4, r: 1, p: 1 })).text;

const ALICE = `user alice ${await hash("a-secret")}\n`;
const ROOT = `administrator root ${await hash("r-secret")}\n`;
const RULES = `user bob ${await hash("b-secret")}
  publish home/%u/#
  subscribe home/#
  deny subscribe home/safe
`;
const SENSOR = "user sensor\n";

interface Setup {
  readonly file?: string;
  readonly allowAnonymous?: boolean;
  readonly failures?: LoginFailures;
  readonly slots?: LoginSlots;
}

function open({ file = ALICE + ROOT + RULES + SENSOR, ...rest }: Setup = {}) {
  const limited: string[] = [];
  const wrong: string[] = [];
  const access = new UserAccess({
    users: parseUsers(file, "users"),
    defaults: defaultRules(topics),
    reserved: topics.serverOnlyFilters,
    serverClientIds: ["occupancy-server"],
    allowAnonymous: false,
    onLimited: (limit) => limited.push(limit),
    onWrongLogin: ({ user, certificateName }) =>
      wrong.push(`${user} ${certificateName}`),
    failures: new LoginFailures({ firstDelayMs: 0 }),
    ...rest,
  });
  return { access, limited, wrong };
}

function login(
  user: string | undefined,
  password: string | undefined,
  more: Partial<Login> = {},
): Login {
  return {
    clientId: "c",
    user,
    password: password === undefined ? undefined : bytes(password),
    certificateName: undefined,
    address: "192.0.2.1",
    ...more,
  };
}

async function enter(
  access: UserAccess,
  ...args: Parameters<typeof login>
): Promise<Identity> {
  const { identity } = await access.login(login(...args)) as {
    identity: Identity;
  };
  assert.ok(identity, `${args[0]} may log in`);
  return identity;
}

Deno.test({
  name: "a login needs the user and its password",
  permissions: "none",
  fn: async () => {
    const { access, limited, wrong } = open();
    assert.deepEqual(await access.login(login("alice", "a-secret")), {
      identity: { user: "alice", clientId: "c", isAdministrator: false },
    });
    assert.deepEqual(await access.login(login("root", "r-secret")), {
      identity: { user: "root", clientId: "c", isAdministrator: true },
    });
    const refused: [string, string | undefined][] = [
      ["alice", "r-secret"],
      ["alice", ""],
      ["alice", undefined],
      ["mallory", "a-secret"],
      ["", ""],
      ["sensor", ""],
      ["Alice", "a-secret"],
      ["__proto__", "x"],
    ];
    for (const [user, password] of refused) {
      assert.deepEqual(
        await access.login(login(user, password)),
        { refused: "bad-credentials" },
        user,
      );
    }
    assert.deepEqual(limited, refused.map(() => "mqtt-wrong-login"));
    assert.equal(wrong.length, refused.length);
  },
});

Deno.test({
  name: "a password that was right before is accepted at once",
  permissions: "none",
  fn: async () => {
    const { access } = open();
    assert.ok(access.login(login("alice", "a-secret")) instanceof Promise);
    await enter(access, "alice", "a-secret");
    const again = access.login(login("alice", "a-secret"));
    assert.ok(!(again instanceof Promise) && again.identity?.user === "alice");
    assert.deepEqual(await access.login(login("alice", "wrong")), {
      refused: "bad-credentials",
    });
    access.setUsers(
      parseUsers(`user alice ${await hash("new")}`, "users"),
    );
    assert.deepEqual(await access.login(login("alice", "a-secret")), {
      refused: "bad-credentials",
    });
    await enter(access, "alice", "new");
  },
});

Deno.test({
  name: "client ids of the server are refused, also with a right password",
  permissions: "none",
  fn: async () => {
    const { access } = open({ allowAnonymous: true });
    for (const user of [undefined, "root"]) {
      assert.deepEqual(
        await access.login(
          login(user, user && "r-secret", { clientId: "occupancy-server" }),
        ),
        { refused: "client-id" },
      );
    }
  },
});

Deno.test({
  name: "clients without a user name need --allow-anonymous",
  permissions: "none",
  fn: () => {
    const anonymous = login(undefined, undefined);
    assert.deepEqual(open().access.login(anonymous), {
      refused: "not-authorized",
    });
    const { access } = open({
      allowAnonymous: true,
      file: "anonymous\n publish test/#\n subscribe test/%c",
    });
    const { identity } = access.login(anonymous) as { identity: Identity };
    assert.equal(identity.user, undefined);
    assert.equal(access.mayPublish(identity, "test/a"), true);
    assert.equal(access.mayPublish(identity, topics.data()), false);
    assert.equal(access.maySubscribe(identity, "test/c"), "all");
    assert.equal(access.maySubscribe(identity, "test/d"), "none");
    assert.equal(access.isCurrent(identity), true);
  },
});

Deno.test({
  name: "a certificate is the login of the user whom it names",
  permissions: "none",
  fn: async () => {
    const { access, wrong } = open();
    const certified = (name: string, user?: string, password?: string) =>
      access.login(login(user, password, { certificateName: name }));
    assert.deepEqual(certified("sensor"), {
      identity: { user: "sensor", clientId: "c", isAdministrator: false },
    });
    const refused = [certified("unknown"), certified("sensor", "root")];
    for (const result of refused) {
      assert.deepEqual(result, { refused: "bad-credentials" });
    }
    assert.deepEqual(wrong, ["undefined unknown", "root sensor"]);
    // A password counts more.
    const result = await certified("sensor", "root", "r-secret");
    assert.equal(result.identity?.user, "root");
    assert.deepEqual(await certified("sensor", "root", "wrong"), {
      refused: "bad-credentials",
    });
  },
});

Deno.test({
  name: "rules apply, and administrators may do all but the server's work",
  permissions: "none",
  fn: async () => {
    const { access } = open();
    const alice = await enter(access, "alice", "a-secret");
    const bob = await enter(access, "bob", "b-secret");
    const root = await enter(access, "root", "r-secret");
    const mayPublish: [string, boolean, boolean, boolean][] = [
      [topics.data("l2"), true, false, true],
      [topics.request, true, false, true],
      ["home/bob/lamp", false, true, true],
      ["home/alice/lamp", false, false, true],
      [topics.state, false, false, false],
      [topics.responseFor("x"), false, false, false],
      ["occupancy/zone/lobby", false, false, false],
      ["$SYS/broker/version", false, false, false],
    ];
    for (const [topic, ...expected] of mayPublish) {
      assert.deepEqual(
        [alice, bob, root].map((one) => access.mayPublish(one, topic)),
        expected,
        topic,
      );
    }
    const mayReceive: [string, boolean, boolean, boolean][] = [
      [topics.state, true, false, true],
      [topics.responseFor("x"), true, false, true],
      [topics.data(), false, false, true],
      ["home/lamp", false, true, true],
      ["home/safe", false, false, true],
      ["$SYS/broker/version", false, false, true],
    ];
    for (const [topic, ...expected] of mayReceive) {
      assert.deepEqual(
        [alice, bob, root].map((one) => access.mayReceive(one, topic)),
        expected,
        topic,
      );
    }
    assert.deepEqual(
      [alice, bob, root].map((one) => access.maySubscribe(one, "#")),
      ["some", "some", "all"],
    );
    assert.deepEqual(
      [alice, bob, root].map((one) => access.maySubscribe(one, "$SYS/#")),
      ["none", "none", "all"],
    );
  },
});

Deno.test({
  name: "changed rules apply at once; changed or removed users must go",
  permissions: "none",
  fn: async () => {
    const { access } = open();
    const clients = {
      alice: await enter(access, "alice", "a-secret"),
      bob: await enter(access, "bob", "b-secret"),
      root: await enter(access, "root", "r-secret"),
      sensor: await enter(access, undefined, undefined, {
        certificateName: "sensor",
      }),
    };
    let changes = 0;
    access.onChange = () => changes++;
    const before = access.version;
    access.setUsers(parseUsers(
      `${ALICE}  publish garden/#\n${
        ROOT.replace("administrator", "user")
      }${SENSOR}all\n  subscribe news\n`,
      "users",
    ));
    assert.equal(changes, 1);
    assert.notEqual(access.version, before);
    const { alice, bob, root, sensor } = clients;
    assert.deepEqual(
      [alice, bob, root, sensor].map((one) => access.isCurrent(one)),
      [true, false, false, true],
    );
    assert.equal(access.mayPublish(alice, "garden/x"), true);
    assert.equal(access.mayPublish(alice, topics.data()), false);
    assert.equal(access.mayPublish(bob, "home/bob/x"), false);
    assert.equal(access.mayReceive(sensor, "news"), true);
    access.setUsers(
      parseUsers(`user alice ${await hash("a-secret")}`, "users"),
    );
    assert.equal(access.isCurrent(alice), false, "it has another hash");
  },
});

Deno.test({
  name: "a login that was checked with an old password is refused",
  permissions: "none",
  fn: async () => {
    const { access } = open();
    const changed = parseUsers(`user alice ${await hash("new")}`, "users");
    const pending = access.login(login("alice", "a-secret"));
    // The password is being hashed, which takes more than microtasks.
    for (let i = 0; i < 5; i++) await Promise.resolve();
    access.setUsers(changed);
    assert.deepEqual(await pending, { refused: "bad-credentials" });
    const removed = access.login(login("alice", "new"));
    access.setUsers(parseUsers("", "users"));
    assert.deepEqual(await removed, { refused: "bad-credentials" });
  },
});

Deno.test({
  name: "failed logins occupy the slots of their network, right ones wait",
  permissions: "none",
  fn: async () => {
    const answered = Promise.withResolvers<void>();
    class Failures extends LoginFailures {
      override async wait() {
        await answered.promise;
        return true;
      }
    }
    const { access, limited } = open({
      failures: new Failures(),
      slots: new LoginSlots({ perNetwork: 2, waitingPerNetwork: 2 }),
    });
    await enter(access, "alice", "a-secret");
    const failing = [1, 2].map(() => access.login(login("alice", "guess")));
    let ended = false;
    const right = enter(access, "alice", "a-secret").then(() => ended = true);
    const gone = access.login(
      login("alice", "a-secret", { isConnected: () => false }),
    );
    assert.deepEqual(await access.login(login("alice", "a-secret")), {
      refused: "busy",
    });
    await enter(access, "root", "r-secret", { address: "198.51.100.7" });
    assert.equal(ended, false);
    answered.resolve();
    const results: LoginResult[] = await Promise.all(failing);
    assert.deepEqual(results.map(({ refused }) => refused), [
      "bad-credentials",
      "bad-credentials",
    ]);
    await right;
    assert.deepEqual(await gone, { refused: "busy" });
    assert.deepEqual(limited, [
      ...["mqtt-logins", "mqtt-wrong-login", "mqtt-wrong-login"],
    ]);
  },
});

Deno.test({
  name: "the client of a stored session has the rules of its user",
  permissions: "none",
  fn: () => {
    const { access } = open();
    const stored = (user: string | undefined) => ({
      ...{ user, clientId: "c", isAdministrator: user === "root" },
    });
    const [alice, bob, root, gone] = ["alice", "bob", "root", "gone"]
      .map(stored) as [Identity, Identity, Identity, Identity];
    assert.equal(access.mayReceive(alice, topics.state), true);
    assert.equal(access.mayReceive(alice, "home/lamp"), false);
    assert.equal(access.mayReceive(bob, "home/lamp"), true);
    assert.equal(access.mayReceive(root, "$SYS/broker/uptime"), true);
    assert.equal(access.mayReceive(gone, topics.state), false);
    assert.equal(access.maySubscribe(gone, "#"), "none");
    assert.deepEqual(
      [alice, root, gone, stored(undefined), { ...bob, isAdministrator: true }]
        .map((one) => access.isCurrent(one)),
      [true, true, false, true, false],
    );
    const former = { ...bob, isAdministrator: true };
    assert.equal(access.mayReceive(former, "home/lamp"), true);
    assert.equal(access.mayReceive(former, "home/safe"), false);
    assert.equal(access.mayPublish(former, "x"), false);
  },
});
