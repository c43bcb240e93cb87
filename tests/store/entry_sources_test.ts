/** The sources of journal entries: encoded, decoded, damaged. */
import assert from "node:assert/strict";
import { decodeEntries, EntryEncoder } from "../../src/store/entry_codec.ts";
import {
  describeSources,
  joinSources,
  withSources,
} from "../../src/store/entry_sources.ts";
import type { Entry, ReadingSources } from "../../src/store/store.ts";
import { readingsEntry } from "./support.ts";

const NOW = 1_700_000_000_000;

/** An entry with a reading of each of some sources. */
function entryOf(names: readonly string[]): Entry {
  const entry = readingsEntry(NOW, names.map((_, i) => [i, 0, 1]), "hall");
  const sources = ["", ...new Set(names.filter((name) => name !== ""))];
  const sourceIndex = Uint32Array.from(names, (name) => sources.indexOf(name));
  return { ...entry, sources: { sources, sourceIndex } } as Entry;
}

function namesOf(sources: ReadingSources | undefined): string[] | undefined {
  return sources && Array.from(sources.sourceIndex, (i) => sources.sources[i]!);
}

Deno.test({
  name: "sources of entries are the same after encoding and decoding",
  permissions: "none",
  fn: () => {
    const all = [
      ["a", "a", "a", "b", "a"],
      [],
      ["", "", ""],
      ["", 'q"uoted,[', "", "é\u{1f600}"],
    ];
    const entries: Entry[] = [
      { kind: "age", now: NOW },
      ...all.map(entryOf),
      readingsEntry(NOW, [[1, 2, 3]]),
    ];
    const json = joinSources(entries.map(describeSources))!;
    assert.ok(json.startsWith('[[1,["a","b"],[1,3,2,1,1,1]],'), json);
    const bytes = new EntryEncoder().encode(entries);
    const decoded = withSources([...decodeEntries(bytes)], json);
    assert.deepEqual(
      decoded.map((entry) =>
        entry.kind === "apply" ? namesOf(entry.sources) : undefined
      ),
      [undefined, all[0], undefined, undefined, all[3], undefined],
    );
    assert.equal(
      joinSources(entries.slice(2, 4).map(describeSources)),
      undefined,
    );
  },
});

Deno.test({
  name: "sources that do not belong to their entries are refused",
  permissions: "none",
  fn: () => {
    const entries = [entryOf(["a", "b"]), { kind: "age", now: NOW } as const];
    const damaged = [
      "7",
      "[7]",
      "[[2,[],[]]]",
      "[[1,[],[]]]",
      '[[0,["a"],[1,1]]]',
      '[[0,["a"],[1,3]]]',
      '[[0,["a"],[1,-1,0,3]]]',
      '[[0,["a"],[2,2]]]',
      '[[0,["a"],[1]]]',
      '[[0,["a"],["1",2]]]',
      "[[0,[7],[1,2]]]",
      `[[0,["${"a".repeat(201)}"],[1,2]]]`,
    ];
    for (const json of damaged) {
      assert.throws(() => withSources(entries, json), RangeError, json);
    }
    assert.throws(() => withSources(entries, "["), SyntaxError);
  },
});
