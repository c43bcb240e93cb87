import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { TopicSet } from "../../src/broker/topic_set.ts";

Deno.test({
  name: "TopicSet.has() is true for names, and for /# with its parent level",
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
  name: "TopicSet.overlaps() is true if a filter can match a topic of the set",
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
      equal(set.overlaps(filter), expected, filter);
    }
  },
});

Deno.test({
  name:
    "TopicSet.overlaps() is true for all filters that match a topic of the set",
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
          // Replace any of its levels by a wildcard.
          const filter = topic.map((word, i) => wild[i] ? "+" : word);
          equal(set.overlaps(filter.join("/")), true);
          equal(set.overlaps([...filter.slice(0, 1), "#"].join("/")), true);
        },
      ),
    );
  },
});

Deno.test({
  name: "TopicSet() throws TypeError for other filters than name and name/#",
  permissions: "none",
  fn() {
    for (const filter of ["", "#", "/#", "+", "a/+", "a/#/b", "a#", "a/b+"]) {
      throws(() => new TopicSet([filter]), TypeError, filter);
    }
  },
});
