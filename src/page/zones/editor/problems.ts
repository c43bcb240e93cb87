/**
 * What is wrong with a draft: for each field of the form, and on the map. The
 * rules are those of the server, from `src/zones`.
 *
 * @module
 */

import { atOnce } from "../../../common/at_once.ts";
import { findCrossing } from "../../../zones/crossings.ts";
import { ZoneError } from "../../../zones/errors.ts";
import { readGeometry } from "../../../zones/rings.ts";
import type { Polygon, Position } from "../../../zones/zone.ts";
import { readZoneProperties } from "../../../zones/zone_properties.ts";
import {
  type Draft,
  propertiesOf,
  type ZoneDraft,
  type ZoneFields,
} from "./draft.ts";

/** A field of the form, or the outline on the map. */
export type ProblemPlace =
  | Exclude<keyof ZoneFields, "occupiedKind">
  | "outline";

/** Something that must be changed before the zones can be saved. */
export interface ZoneProblem {
  readonly place: ProblemPlace;
  /** What is wrong, and what to do. */
  readonly text: string;
  /** Where edges cross, in cells. */
  readonly at?: Position;
}

/** Which property of GeoJSON a field is. */
const PROPERTIES: readonly (readonly [ProblemPlace, string])[] = [
  ["title", "title"],
  ["layer", "layer"],
  ["capacity", "capacity"],
  ["occupiedLeast", "occupiedWhen"],
  ["clearAfter", "clearAfter"],
  ["staleAfter", "staleAfter"],
];

/** Polygons that were checked, with the problem or undefined. */
const checked = new WeakMap<readonly Polygon[], ZoneProblem | undefined>();

/** Returns the problems of one zone, except for its name's uniqueness. */
export function problemsOf(zone: ZoneDraft): ZoneProblem[] {
  return [...fieldProblems(zone.fields), outlineProblem(zone)]
    .filter((problem) => problem !== undefined);
}

/** Returns the problems of all zones by key; zones without one are missing. */
export function problemsOfAll(
  draft: Draft,
): ReadonlyMap<string, readonly ZoneProblem[]> {
  const names = Map.groupBy(draft, ({ fields }) => fields.name);
  const all = new Map<string, ZoneProblem[]>();
  for (const zone of draft) {
    const problems = problemsOf(zone);
    const { name } = zone.fields;
    if (name !== "" && names.get(name)!.length > 1) {
      problems.push({
        place: "name",
        text:
          "Another zone has this name. Each zone needs a name of its own, which is also its topic.",
      });
    }
    if (problems.length > 0) all.set(zone.key, problems);
  }
  return all;
}

/** Fields that were checked: most of a draft are those of the one before. */
const checkedFields = new WeakMap<ZoneFields, readonly ZoneProblem[]>();

function fieldProblems(fields: ZoneFields): readonly ZoneProblem[] {
  const known = checkedFields.get(fields);
  if (known !== undefined) return known;
  const { name, ...rest } = propertiesOf(fields);
  const problems: ZoneProblem[] = [];
  const check = (place: ProblemPlace, properties: Record<string, unknown>) => {
    const text = problemIn(() => readZoneProperties(properties, 1));
    if (text !== undefined) problems.push({ place, text });
  };
  check("name", { name });
  for (const [place, property] of PROPERTIES) {
    // Whether a percentage above 100 is valid depends on the capacity.
    const capacity = property === "occupiedWhen" && isValidCapacity(rest)
      ? rest["capacity"]
      : undefined;
    const value = rest[property];
    check(place, { name: "zone", capacity, [property]: value });
  }
  checkedFields.set(fields, problems);
  return problems;
}

function isValidCapacity({ capacity }: Record<string, unknown>): boolean {
  return problemIn(() => readZoneProperties({ name: "zone", capacity }, 1)) ===
    undefined;
}

function outlineProblem({ polygons }: ZoneDraft): ZoneProblem | undefined {
  if (checked.has(polygons)) return checked.get(polygons);
  const geometry = { type: "MultiPolygon", coordinates: polygons };
  const text = problemIn(() => atOnce(readGeometry(geometry, { number: 1 })));
  const at = text === undefined ? undefined : crossingIn(polygons);
  const problem: ZoneProblem | undefined = text === undefined
    ? undefined
    : at === undefined
    ? { place: "outline", text }
    : { place: "outline", text: crossingText(at), at };
  checked.set(polygons, problem);
  return problem;
}

/** Where two edges of a polygon cross; undefined if none do. */
function crossingIn(polygons: readonly Polygon[]): Position | undefined {
  for (const polygon of polygons) {
    const crossing = atOnce(findCrossing(polygon));
    if (crossing === undefined) continue;
    const [[a, b], [c, d]] = crossing.map(({ ring, position }) =>
      polygon[ring - 1]!.slice(position - 1, position + 1)
    ) as [[Position, Position], [Position, Position]];
    return intersectionOf(a, b, c, d);
  }
  return undefined;
}

/** Shorter than the error, which names the numbers of rings and positions. */
function crossingText([x, y]: Position): string {
  const round = (value: number) => Math.round(value * 100) / 100;
  return `Its edges cross at x ${round(x)}, y ${
    round(y)
  }. Move a corner so that no edges cross.`;
}

/** Where the lines through two edges meet, which are not parallel. */
function intersectionOf(
  a: Position,
  b: Position,
  c: Position,
  d: Position,
): Position {
  const [ux, uy] = [b[0] - a[0], b[1] - a[1]];
  const [vx, vy] = [d[0] - c[0], d[1] - c[1]];
  const t = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / (ux * vy - uy * vx);
  return [a[0] + t * ux, a[1] + t * uy];
}

/** Returns what a ZoneError says, without the name of the feature. */
function problemIn(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error;
    const problem = error.message
      .replace(/^(?:feature \d+|zone "[^"]*"): /, "")
      .replace(/^polygon \d+, /, "");
    const hint = error.hint === undefined ? "" : ` ${error.hint}`;
    return `${problem[0]!.toUpperCase()}${problem.slice(1)}.${hint}`;
  }
}
