/**
 * The report of a benchmark run: one model for all cases, printed as text, JSON
 * or Markdown by render.ts.
 *
 * @module
 */
import { type Spread, spreadOf } from "./statistics.ts";

/** The report of a run. */
export interface Report {
  /** RFC 3339 */
  readonly startedAt: string;
  readonly machine: Machine;
  /** Versions of the programs and packages, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly cases: readonly CaseReport[];
}

/** The machine of a run. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  /** Duration of one fdatasync before the run, ms. */
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

/** The figures of one subject. */
export interface Row {
  readonly subject: string;
  /** By name; each name ends with its unit, such as `messagesPerSecond`. */
  readonly figures: Readonly<Record<string, Spread>>;
  /** The processes that limited it; several if rounds differ. */
  readonly limits: readonly string[];
}

/** A bound for a figure, or for its ratio to that of another subject. */
export interface Goal {
  /** Description of the bounded figure. */
  readonly what: string;
  readonly figure: string;
  readonly subject: string;
  /** The subject whose figure of the same round is the divisor. */
  readonly over?: string;
  /** With {@linkcode over}: the difference is bounded instead of the ratio. */
  readonly difference?: true;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** A goal and its result. */
export interface GoalReport extends Goal {
  readonly measured: Spread;
  readonly met: boolean;
}

/** The result of one trial. */
export interface Sample {
  readonly figures: Readonly<Record<string, number>>;
  /** The processes that limited it. */
  readonly limit?: string;
}

/** Summarizes the trials of a subject. */
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
 * Checks a goal. Ratios are taken within a round, so that other load on the
 * machine affects both equally.
 *
 * @param samples the trials of each subject, in the order of the rounds
 * @returns undefined if a subject was not measured
 */
export function checkGoal(
  goal: Goal,
  samples: ReadonlyMap<string, readonly Sample[]>,
): GoalReport | undefined {
  const { subject, over, figure, atLeast, atMost } = goal;
  const own = figuresOf(samples.get(subject), figure);
  if (own.length === 0) return undefined;
  let ratios = own;
  if (over !== undefined) {
    const base = figuresOf(samples.get(over), figure);
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
