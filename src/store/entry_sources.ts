/**
 * Encodes who sent the readings of journal entries, beside the entries: a store
 * of one server needs it in no journal.
 *
 * As JSON: for each entry with named sources a list of its index, the names,
 * and runs of equal sources as pairs of a number and a count: 0 is no name, 1
 * the first one. `[[0,["cam-7","gate"],[1,100,2,3]]]`
 *
 * @module
 */
import type { Entry, ReadingSources } from "./entry.ts";

/** UTF-16 code units; see PROTOCOL.md. */
const MAX_NAME_UNITS = 200;

/**
 * Returns the sources of an entry as JSON without its index; undefined if no
 * reading has one.
 */
export function describeSources(entry: Entry): string | undefined {
  if (entry.kind !== "apply" || entry.sources === undefined) return undefined;
  const { sources, sourceIndex } = entry.sources;
  const { length } = entry.readings;
  /** Numbers in the JSON, by index in `sources`. */
  const numbers = new Map([[0, 0]]);
  const names: string[] = [];
  const runs: number[] = [];
  for (let from = 0; from < length;) {
    const index = sourceIndex[from]!;
    let to = from + 1;
    while (to < length && sourceIndex[to] === index) to++;
    let number = numbers.get(index);
    if (number === undefined) {
      number = names.push(sources[index]!);
      numbers.set(index, number);
    }
    runs.push(number, to - from);
    from = to;
  }
  if (names.length === 0) return undefined;
  return `${JSON.stringify(names)},${JSON.stringify(runs)}`;
}

/**
 * Returns the sources of entries as JSON.
 *
 * @param described the result of {@linkcode describeSources} for each entry
 * @returns undefined if no reading has a source
 */
export function joinSources(
  described: readonly (string | undefined)[],
): string | undefined {
  const all = described.flatMap((one, i) =>
    one === undefined ? [] : [`[${i},${one}]`]
  );
  return all.length === 0 ? undefined : `[${all.join()}]`;
}

/**
 * Returns entries with their sources.
 *
 * @param entries as they were encoded, without sources
 * @param json the result of {@linkcode joinSources}
 * @throws {RangeError} if it does not belong to the entries
 * @throws {SyntaxError} if it is no JSON
 */
export function withSources(entries: readonly Entry[], json: string): Entry[] {
  const result = [...entries];
  for (const [index, names, runs] of listOf(JSON.parse(json)).map(listOf)) {
    const entry = result[index as number];
    if (entry?.kind !== "apply") throw damaged();
    const sources = parse(listOf(names), listOf(runs), entry.readings.length);
    result[index as number] = { ...entry, sources };
  }
  return result;
}

function parse(
  names: readonly unknown[],
  runs: readonly unknown[],
  length: number,
): ReadingSources {
  const sources = ["", ...names].map((name) => {
    if (typeof name === "string" && name.length <= MAX_NAME_UNITS) return name;
    throw damaged();
  });
  const sourceIndex = new Uint32Array(length);
  let from = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const number = runs[i];
    const count = runs[i + 1];
    if (!isIndex(number, sources.length) || !isIndex(count, length + 1)) {
      throw damaged();
    }
    sourceIndex.fill(number, from, from += count);
  }
  if (from !== length) throw damaged();
  return { sources, sourceIndex };
}

function isIndex(value: unknown, end: number): value is number {
  return Number.isInteger(value) && value as number >= 0 &&
    value as number < end;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged();
}

function damaged(): RangeError {
  return new RangeError("its sources are damaged");
}
