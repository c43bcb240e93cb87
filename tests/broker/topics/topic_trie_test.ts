import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { covers } from "../../../src/broker/access/filters.ts";
import { MatchCache } from "../../../src/broker/topics/match_cache.ts";
import {
  isShared,
  parseFilter,
  topicPart,
} from "../../../src/broker/codec/topic_names.ts";
import { TopicTrie } from "../../../src/broker/topics/topic_trie.ts";

const pure = { permissions: "none" } as const;

const level = fc.constantFrom("a", "b", "", "$x", "constructor");
const topic = fc.array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join("/"));
const filter = fc.tuple(
  fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }),
  fc.constantFrom("", "/#", "#"),
).map(([levels, end]) => end === "#" ? "#" : levels.join("/") + end);

function matches(topic: string, filter: string): boolean {
  return covers(filter.split("/"), topic.split("/"));
}

function found<T>(trie: TopicTrie<T>, topic: string): T[] {
  const values: T[] = [];
  trie.match(topic, values);
  return values;
}

Deno.test(
  "TopicTrie finds the filters that match, as a comparison with each",
  pure,
  () => {
    const change = fc.tuple(filter, fc.nat(3), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 40 }),
        fc.array(topic, { minLength: 1, maxLength: 5 }),
        (changes, topics) => {
          const trie = new TopicTrie<string>();
          const model = new Set<string>();
          for (const [filter, value, isAdded] of changes) {
            const key = `${value} ${filter}`;
            if (!isAdded) equal(trie.remove(filter, key), model.delete(key));
            else if (!model.has(key)) {
              trie.add(filter, key);
              model.add(key);
            }
          }
          equal(trie.size, model.size);
          for (const topic of topics) {
            const expected = [...model].filter((key) =>
              matches(topic, key.slice(2))
            );
            deepEqual(found(trie, topic).sort(), expected.sort());
          }
          // Removing all leaves nothing behind.
          for (const key of model) trie.remove(key.slice(2), key);
          equal(trie.size, 0);
          equal(trie.levels, 0);
        },
      ),
      { numRuns: 1_000 },
    );
  },
);

Deno.test(
  "TopicTrie follows the examples of the specification (4.7)",
  pure,
  () => {
    const cases: [filter: string, matching: string[], others: string[]][] = [
      [
        "sport/tennis/player1/#",
        [
          "sport/tennis/player1",
          "sport/tennis/player1/ranking",
          "sport/tennis/player1/score/wimbledon",
        ],
        ["sport/tennis", "sport/tennis/player10"],
      ],
      ["sport/#", ["sport", "sport/"], ["sports", "/sport"]],
      ["sport/+", ["sport/", "sport/tennis"], ["sport", "sport/a/b"]],
      ["+/+", ["/finance"], ["finance", "/a/b"]],
      ["/+", ["/finance"], ["finance"]],
      ["+", ["finance"], ["/finance", "$SYS"]],
      ["#", ["a", "/", "a/$b"], ["$SYS", "$SYS/a"]],
      ["+/monitor/Clients", ["a/monitor/Clients"], ["$SYS/monitor/Clients"]],
      ["$SYS/#", ["$SYS", "$SYS/a"], ["SYS/a"]],
      ["$SYS/monitor/+", ["$SYS/monitor/Clients"], ["$SYS/monitor"]],
      ["ACCOUNTS", ["ACCOUNTS"], ["Accounts"]],
    ];
    for (const [filter, matching, others] of cases) {
      const trie = new TopicTrie<string>();
      trie.add(filter, filter);
      for (const topic of matching) {
        deepEqual(
          found(trie, topic),
          [filter],
          topic,
        );
      }
      for (const topic of others) deepEqual(found(trie, topic), [], topic);
    }
  },
);

Deno.test(
  "MatchCache keeps the topics that were used recently, within its size",
  pure,
  () => {
    const cache = new MatchCache<number[]>((result) => result.length, 100);
    cache.set("hot", [1]);
    for (let i = 0; i < 1_000; i++) {
      cache.set(`topic ${i}`, []);
      deepEqual(cache.get("hot"), [1]);
      if (cache.size > 30) throw new Error(`it has ${cache.size} results`);
    }
    equal(cache.get("topic 1"), undefined);
    cache.set("large", new Array(200).fill(0));
    equal(cache.get("large"), undefined);
  },
);

Deno.test("MatchCache forgets what a filter may have changed", pure, () => {
  const cache = new MatchCache<string>(() => 1);
  const fill = () => ["a", "b"].forEach((topic) => cache.set(topic, topic));
  fill();
  cache.invalidate("a");
  equal(cache.get("a"), undefined);
  equal(cache.get("b"), "b");
  cache.invalidate("c/+");
  equal(cache.get("b"), undefined);
  fill();
  cache.invalidate("#");
  equal(cache.size, 0);
});

Deno.test(
  "the filter of a shared subscription has a group and a filter (MQTT 5, 4.8.2)",
  pure,
  () => {
    const cases: [string, string | undefined][] = [
      ["$share/group/a/+", "a/+"],
      ["$share/group//", "/"],
      ["$share/group/", undefined],
      ["$share/group", undefined],
      ["$share//a", undefined],
      ["$share/", undefined],
      ["$share/a+/b", undefined],
      ["$share/#/b", undefined],
    ];
    for (const [filter, expected] of cases) {
      equal(isShared(filter), true);
      equal(parseFilter(filter)?.topicFilter, expected, filter);
    }
    equal(isShared("$shared/a/b"), false);
    equal(isShared("$share"), false);
    equal(topicPart("$share/group/a/+"), "a/+");
    equal(topicPart("a/+"), "a/+");
  },
);
