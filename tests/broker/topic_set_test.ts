import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { TopicSet } from "../../src/broker/topic_set.ts";

Deno.test({
  name: "TopicSet.has() matches names, and below a last /# with its parent",
  permissions: "none",
  fn() {
    const set = new TopicSet(["a/data/#", "a/request"]);
    const cases: [string, boolean][] = [
      ["a/data", true],
      ["a/data/", true],
      ["a/data/x/y", true],
      ["a/database", false],
      ["a/request", true],
      ["a/request/x", false],
      ["a", false],
      ["", false],
    ];
    for (const [topic, expected] of cases) {
      equal(set.has(topic), expected, topic);
    }
  },
});

Deno.test({
  name:
    "TopicSet.meets() tells whether a subscription can share a topic with the set",
  permissions: "none",
  fn() {
    const set = new TopicSet(["a/data/#", "a/request"]);
    const cases: [string, boolean][] = [
      ["#", true],
      ["+/#", true],
      ["a/#", true],
      ["+/data", true],
      ["a/data/+/x", true],
      ["a/+", true],
      ["+/+/+", true],
      ["+", false],
      ["b/#", false],
      ["a/request/+", false],
      ["a/response/#", false],
    ];
    for (const [filter, expected] of cases) {
      equal(set.meets(filter), expected, filter);
    }
  },
});

Deno.test({
  name:
    "TopicSet.meets() is true for each filter that matches a topic of the set",
  permissions: "none",
  fn() {
    const level = fc.constantFrom("a", "b", "");
    const levels = fc.array(level, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        levels.filter(([first]) => first !== ""),
        fc.boolean(),
        levels,
        fc.array(fc.boolean(), { maxLength: 8 }),
        (own, many, below, wild) => {
          const name = own.join("/");
          const set = new TopicSet([many ? `${name}/#` : name]);
          const topic = many ? [...own, ...below] : own;
          equal(set.has(topic.join("/")), true);
          // Any of its levels may be a wildcard.
          const filter = topic.map((word, i) => wild[i] ? "+" : word);
          equal(set.meets(filter.join("/")), true);
          equal(set.meets([...filter.slice(0, 1), "#"].join("/")), true);
        },
      ),
    );
  },
});

Deno.test({
  name: "new TopicSet() refuses what is not a name or name/#",
  permissions: "none",
  fn() {
    for (const filter of ["", "#", "/#", "+", "a/+", "a/#/b", "a#", "a/b+"]) {
      throws(() => new TopicSet([filter]), TypeError, filter);
    }
  },
});
