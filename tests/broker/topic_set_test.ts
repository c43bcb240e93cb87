import { equal, throws } from "node:assert/strict";
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
  name: "TopicSet() throws TypeError for other filters than name and name/#",
  permissions: "none",
  fn() {
    for (const filter of ["", "#", "/#", "+", "a/+", "a/#/b", "a#", "a/b+"]) {
      throws(() => new TopicSet([filter]), TypeError, filter);
    }
  },
});
