/**
 * What a benchmark run says: one model for all cases, printed as text, JSON or
 * Markdown.
 *
 * @module
 */
import { type Spread, spreadOf } from "./statistics.ts";

/** A whole run. */
export interface Report {
  /** When it began, RFC 3339. */
  readonly startedAt: string;
  readonly machine: Machine;
  /** Of everything that takes part, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly cases: readonly CaseReport[];
}

/** Where a run took place. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** What one fdatasync of the disk took just before, in milliseconds. */
  readonly fdatasyncMilliseconds: Spread;
}

/** One case: the same work for each of its subjects. */
export interface CaseReport {
  readonly name: string;
  readonly title: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalReport[];
}

/** What one subject did. */
export interface Row {
  readonly subject: string;
  /** The unit is the end of each name, e.g. `messagesPerSecond`. */
  readonly figures: Readonly<Record<string, Spread>>;
  /** What was busy all the time, in the rounds in which it was that. */
  readonly limits: readonly string[];
}

/** A ratio, or a figure, that is to be reached. */
export interface Goal {
  readonly what: string;
  readonly figure: string;
  readonly subject: string;
  /** The figure is divided by this subject's of the same round; by nothing if left out. */
  readonly over?: string;
  /** The figure of {@linkcode over}, if it is another one. */
  readonly overFigure?: string;
  /** Taken away instead of divided by. */
  readonly difference?: true;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** How near a goal is. */
export interface GoalReport extends Goal {
  readonly measured: Spread;
  readonly met: boolean;
}

/** One trial of one subject: its figures, and what was busy all the time. */
export interface Sample {
  readonly figures: Readonly<Record<string, number>>;
  readonly limit?: string;
}

/** The row of a subject. */
export function rowOf(subject: string, samples: readonly Sample[]): Row {
  const names = new Set(samples.flatMap(({ figures }) => Object.keys(figures)));
  const figures: Record<string, Spread> = {};
  for (const name of names) {
    figures[name] = spreadOf(
      samples.flatMap(({ figures }) => figures[name] ?? []),
    );
  }
  const limits = [...new Set(samples.flatMap(({ limit }) => limit ?? []))];
  return { subject, figures, limits };
}

/**
 * Judges a goal by the ratios of the same round, so that what disturbs the
 * machine disturbs both sides.
 *
 * @param samples Of each subject, by round
 * @returns undefined if a subject took no part
 */
export function judge(
  goal: Goal,
  samples: ReadonlyMap<string, readonly Sample[]>,
): GoalReport | undefined {
  const { subject, over, figure, atLeast, atMost } = goal;
  const own = figuresOf(samples.get(subject), figure);
  if (own.length === 0) return undefined;
  let ratios = own;
  if (over !== undefined) {
    const base = figuresOf(samples.get(over), goal.overFigure ?? figure);
    if (base.length !== own.length) return undefined;
    ratios = own.map((value, round) =>
      goal.difference ? value - base[round]! : value / base[round]!
    );
  }
  const measured = spreadOf(ratios);
  const met = !(measured.median < (atLeast ?? -Infinity)) &&
    !(measured.median > (atMost ?? Infinity));
  return { ...goal, measured, met };
}

function figuresOf(
  samples: readonly Sample[] = [],
  figure: string,
): number[] {
  return samples.flatMap(({ figures }) => figures[figure] ?? []);
}
