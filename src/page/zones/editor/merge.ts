/**
 * Merges the edits of two people, zone by zone.
 *
 * @module
 */

import { type Draft, isSameDraft, type ZoneDraft } from "./draft.ts";

/** A zone that both have changed, in different ways. */
export interface Conflict {
  readonly key: string;
  /** As both loaded it; undefined if it was not there. */
  readonly base: ZoneDraft | undefined;
  /** Undefined: deleted. */
  readonly mine: ZoneDraft | undefined;
  readonly theirs: ZoneDraft | undefined;
}

/** Whose version of a zone is kept. */
export type Choice = "mine" | "theirs";

/** The result of {@linkcode mergeDrafts}. */
export interface Merge {
  readonly draft: Draft;
  /** The zones for which no choice was made; `draft` has mine. */
  readonly conflicts: readonly Conflict[];
}

/**
 * Merges three versions. Zones that only one side has changed are as that side
 * has them. The order is theirs, then what I have added.
 *
 * @param base the zones that both sides began with
 * @param mine my edits
 * @param theirs what is saved now
 * @param choices by key, for zones that both have changed
 */
export function mergeDrafts(
  base: Draft,
  mine: Draft,
  theirs: Draft,
  choices: ReadonlyMap<string, Choice> = new Map(),
): Merge {
  const [inBase, inMine, inTheirs] = [base, mine, theirs].map(byKey) as [
    ReadonlyMap<string, ZoneDraft>,
    ReadonlyMap<string, ZoneDraft>,
    ReadonlyMap<string, ZoneDraft>,
  ];
  const conflicts: Conflict[] = [];
  const merge = (key: string): ZoneDraft | undefined => {
    const conflict = {
      key,
      base: inBase.get(key),
      mine: inMine.get(key),
      theirs: inTheirs.get(key),
    };
    if (isSameDraft(conflict.base, conflict.mine)) return conflict.theirs;
    if (
      isSameDraft(conflict.base, conflict.theirs) ||
      isSameDraft(conflict.mine, conflict.theirs)
    ) return conflict.mine;
    const choice = choices.get(key);
    if (choice === undefined) conflicts.push(conflict);
    return choice === "theirs" ? conflict.theirs : conflict.mine;
  };
  const keys = new Set([...inTheirs.keys(), ...inMine.keys()]);
  const draft = [...keys].map(merge).filter((zone) => zone !== undefined);
  // Zones that only the base has were deleted by both: no conflict.
  return { draft, conflicts };
}

/** Longer values are cut, in characters. */
const MAX_VALUE_LENGTH = 30;

/**
 * What a version of a zone changes in another, in words: `outline`,
 * `capacity (10 → 12)`.
 */
export function differencesOf(before: ZoneDraft, after: ZoneDraft): string[] {
  const parts: readonly [name: string, of: (zone: ZoneDraft) => unknown][] = [
    ["outline", ({ polygons }) => polygons],
    ["title", ({ fields }) => fields.title],
    ["name", ({ fields }) => fields.name],
    ["layer", ({ fields }) => fields.layer],
    ["capacity", ({ fields }) => fields.capacity],
    [
      "occupied when",
      ({ fields }) => `${fields.occupiedLeast} ${fields.occupiedKind}`,
    ],
    ["clear after", ({ fields }) => fields.clearAfter],
    ["stale after", ({ fields }) => fields.staleAfter],
    ["other properties", ({ foreign }) => foreign],
  ];
  return parts.map(([name, of]) => [name, of(before), of(after)] as const)
    .filter(([, a, b]) => JSON.stringify(a) !== JSON.stringify(b))
    .map(([name, a, b]) =>
      typeof a === "string" && typeof b === "string"
        ? `${name} (${shorten(a)} → ${shorten(b)})`
        : name
    );
}

function shorten(value: string): string {
  if (value === "") return "none";
  return value.length > MAX_VALUE_LENGTH
    ? `${value.slice(0, MAX_VALUE_LENGTH)}…`
    : value;
}

function byKey(draft: Draft): ReadonlyMap<string, ZoneDraft> {
  return new Map(draft.map((zone) => [zone.key, zone]));
}
