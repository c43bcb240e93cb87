/** What the rules of a client allow. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { covers } from "../../../src/broker/access/filters.ts";
import {
  ClientRules,
  defaultRules,
  type Rule,
} from "../../../src/broker/access/rules.ts";
import { Topics } from "../../../src/protocol/mod.ts";

/** Rules as in a file. */
function rules(...lines: string[]): Rule[] {
  return lines.map((line) => {
    const [, deny, action, pattern] = /^(deny )?(\w+) (.*)$/.exec(line)!;
    return {
      action: action as "publish",
      denies: deny !== undefined,
      pattern: pattern!,
    };
  });
}

function of(
  user: string | undefined,
  clientId: string,
  ...lines: string[]
): ClientRules {
  return new ClientRules(rules(...lines), { user, clientId });
}

Deno.test({
  name: "without a rule nothing is allowed; a denial wins in any order",
  permissions: "none",
  fn: () => {
    const none = of("a", "c");
    assert.equal(none.allows("publish", "a"), false);
    assert.equal(none.grant("a"), "none");
    for (
      const client of [
        of("a", "c", "publish x/#", "deny publish x/secret"),
        of("a", "c", "deny publish x/secret", "publish x/#"),
      ]
    ) {
      assert.equal(client.allows("publish", "x/y"), true);
      assert.equal(client.allows("publish", "x"), true);
      assert.equal(client.allows("publish", "x/secret"), false);
      assert.equal(client.allows("subscribe", "x/y"), false);
    }
  },
});

Deno.test({
  name: "%u, %c and %% stand for user, client id and a percent sign",
  permissions: "none",
  fn: () => {
    const client = of(
      "alice",
      "c-1",
      ...["publish data/%u/#", "publish id/dev-%c", "publish rate/%%"],
    );
    for (
      const topic of ["data/alice", "data/alice/l2", "id/dev-c-1", "rate/%"]
    ) {
      assert.equal(client.allows("publish", topic), true, topic);
    }
    for (const topic of ["data/bob", "data/%u", "id/dev-", "rate/%%"]) {
      assert.equal(client.allows("publish", topic), false, topic);
    }
  },
});

Deno.test({
  name: "a client id cannot reach other topics through %c",
  permissions: "none",
  fn: () => {
    for (const id of ["#", "+", "a/b", "a/#", "../x"]) {
      const client = of("alice", id, "publish data/%c/#", "subscribe data/%c");
      for (const topic of ["data", "data/a/b", `data/${id}`, "data/x"]) {
        assert.equal(client.allows("publish", topic), false, `${id} ${topic}`);
      }
      assert.equal(client.grant("data/#"), "none", id);
      const denied = of("alice", id, "publish #", "deny publish data/x%c/y");
      assert.equal(denied.allows("publish", "data/z/y"), false, id);
      assert.equal(denied.allows("publish", "data/z"), true, id);
    }
    const anonymous = of(undefined, "c", "publish data/%u/#");
    assert.equal(anonymous.allows("publish", "data/undefined"), false);
    assert.equal(anonymous.allows("publish", "data/"), false);
  },
});

Deno.test({
  name: "a filter is granted wholly, in part, or not",
  permissions: "none",
  fn: () => {
    const client = of(
      "alice",
      "c",
      ...["subscribe home/#", "subscribe lab/+/temp"],
      ...["deny subscribe home/safe/#", "deny subscribe no"],
    );
    const cases: Record<string, string> = {
      "home/lamp": "all",
      "home/lamp/#": "all",
      "home/#": "some",
      "home/+": "some",
      "home/+/x": "some",
      "home/safe": "none",
      "home/safe/+": "none",
      "lab/1/temp": "all",
      "lab/+/temp": "all",
      "lab/+/+": "some",
      "lab/#": "some",
      "lab/1/light": "none",
      "#": "some",
      "+": "some",
      "+/+": "some",
      "other/#": "none",
      "$SYS/#": "none",
      "no": "none",
    };
    for (const [filter, grant] of Object.entries(cases)) {
      assert.equal(client.grant(filter), grant, filter);
    }
  },
});

Deno.test({
  name: "# does not include $SYS; a rule for it does",
  permissions: "none",
  fn: () => {
    const all = of("a", "c", "subscribe #");
    assert.equal(all.allows("subscribe", "$SYS/broker/uptime"), false);
    assert.equal(all.grant("#"), "all");
    assert.equal(all.grant("$SYS/#"), "none");
    const sys = of("a", "c", "subscribe $SYS/#");
    assert.equal(sys.allows("subscribe", "$SYS/broker/uptime"), true);
    assert.equal(sys.grant("$SYS/#"), "all");
  },
});

Deno.test({
  name: "by default, clients publish readings and requests and read the rest",
  permissions: "none",
  fn: () => {
    for (const prefix of ["occupancy", "site/50%u/x"]) {
      const topics = new Topics(prefix);
      const client = new ClientRules(defaultRules(topics), {
        user: "alice",
        clientId: "c",
      });
      const published = [topics.data(), topics.data("l2"), topics.request];
      const received = [
        ...[topics.responseFor("x"), topics.changes("l2"), topics.state],
        ...[
          topics.errors,
          `${prefix}/zone/lobby`,
          `${prefix}/zone/lobby/event`,
        ],
      ];
      for (const topic of published) {
        assert.equal(client.allows("publish", topic), true, topic);
        assert.equal(client.allows("subscribe", topic), false, topic);
      }
      for (const topic of received) {
        assert.equal(client.allows("publish", topic), false, topic);
        assert.equal(client.allows("subscribe", topic), true, topic);
      }
      for (const topic of ["home/lamp", `${prefix}/server/barrier/x`, prefix]) {
        assert.equal(client.allows("publish", topic), false, topic);
        assert.equal(client.allows("subscribe", topic), false, topic);
      }
    }
  },
});

Deno.test({
  name: "the grant of a filter agrees with the topics that are allowed",
  permissions: "none",
  fn: () => {
    const words = ["a", "b", "$s"];
    const topics = words.flatMap((one) => [
      one,
      ...words.flatMap((two) => [
        `${one}/${two}`,
        ...words.map((three) => `${one}/${two}/${three}`),
      ]),
    ]);
    const level = fc.constantFrom(...words, "+");
    const filter = fc.tuple(
      fc.array(level, { minLength: 1, maxLength: 2 }),
      fc.boolean(),
    ).map(([levels, isOpen]) => levels.join("/") + (isOpen ? "/#" : ""));
    const rule = fc.tuple(fc.boolean(), filter).map(([denies, pattern]) => ({
      ...{ action: "subscribe" as const, denies, pattern },
    }));
    fc.assert(fc.property(
      fc.array(rule, { maxLength: 4 }),
      filter,
      (rules, filter) => {
        const client = new ClientRules(rules, { user: "u", clientId: "c" });
        const matched = topics.filter((topic) =>
          covers(filter.split("/"), topic.split("/"))
        );
        const allowed = matched.filter((topic) =>
          client.allows("subscribe", topic)
        );
        switch (client.grant(filter)) {
          case "all":
            return assert.deepEqual(allowed, matched);
          case "none":
            return assert.deepEqual(allowed, []);
        }
      },
    ));
  },
});
