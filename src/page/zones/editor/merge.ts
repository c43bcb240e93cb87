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

/** The parts of a zone in which two versions differ, in words. */
export function differencesOf(
  a: ZoneDraft | undefined,
  b: ZoneDraft | undefined,
): string[] {
  if (a === undefined || b === undefined) {
    return a === b ? [] : ["whether it exists"];
  }
  const parts: readonly [name: string, of: (zone: ZoneDraft) => unknown][] = [
    ["outline", ({ polygons }) => polygons],
    ["title", ({ fields }) => fields.title],
    ["name", ({ fields }) => fields.name],
    ["layer", ({ fields }) => fields.layer],
    ["capacity", ({ fields }) => fields.capacity],
    [
      "when it is occupied",
      ({ fields }) => [fields.occupiedKind, fields.occupiedLeast],
    ],
    ["clear after", ({ fields }) => fields.clearAfter],
    ["stale after", ({ fields }) => fields.staleAfter],
    ["other properties", ({ foreign }) => foreign],
  ];
  return parts
    .filter(([, of]) => JSON.stringify(of(a)) !== JSON.stringify(of(b)))
    .map(([name]) => name);
}

function byKey(draft: Draft): ReadonlyMap<string, ZoneDraft> {
  return new Map(draft.map((zone) => [zone.key, zone]));
}
