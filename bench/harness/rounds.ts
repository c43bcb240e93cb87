/**
 * Runs a case: measures its subjects in turn, round after round.
 *
 * @module
 */
import { resolve } from "node:path";
import {
  type CaseReport,
  checkGoal,
  type Goal,
  rowOf,
  type Sample,
} from "./report.ts";

/** One of the systems that a case compares. */
export interface Subject {
  readonly name: string;
  /** Runs one trial with fresh processes. */
  measure(): Promise<Sample>;
}

/** The same work for several subjects. */
export interface Case {
  /** Its name on the command line. */
  readonly name: string;
  readonly title: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly subjects: readonly Subject[];
  readonly goals?: readonly Goal[];
  /** Fewer rounds, for a case that is slow and varies little. */
  readonly maxRounds?: number;
}

/** The size of a run. */
export interface Size {
  readonly rounds: number;
  /** True for a quarter of the work. */
  readonly quick: boolean;
  /** The top of another checkout to compare with, with a slash at the end. */
  readonly against?: string;
  /** Scales a count of messages or readings. */
  count(full: number): number;
}

/** Options of {@linkcode sizeOf}. */
export interface SizeOptions {
  readonly quick: boolean;
  /** Default 5, or 3 for a quick run. */
  readonly rounds?: number;
  /** The top of another checkout. */
  readonly against?: string;
}

/** The size of a run from its options. */
export function sizeOf({ quick, rounds, against }: SizeOptions): Size {
  return {
    quick,
    rounds: rounds ?? (quick ? 3 : 5),
    ...(against !== undefined && { against: `${resolve(against)}/` }),
    count: (full) => quick ? Math.ceil(full / 4) : full,
  };
}

/**
 * Makes the subjects of one of our servers: of this checkout, and of the one to
 * compare with, if there is one.
 *
 * @param measure runs one trial of the server of a checkout; default: this one
 */
export function ourSubjects(
  name: string,
  { against }: Size,
  measure: (root?: string) => Promise<Sample>,
): Subject[] {
  const own: Subject = { name, measure: () => measure() };
  if (against === undefined) return [own];
  return [own, { name: `${name}, before`, measure: () => measure(against) }];
}

/** Called before each trial. */
export type Progress = (subject: string, round: number, rounds: number) => void;

/**
 * Measures the subjects of a case in turn, so that other load on the machine
 * affects all equally; each round starts with the next subject.
 *
 * @throws {Error} if a trial fails, for example because messages were lost
 */
export async function runCase(
  { name, title, settings, subjects, goals = [], maxRounds = Infinity }: Case,
  rounds: number,
  onTrial: Progress,
): Promise<CaseReport> {
  const samples = new Map<string, Sample[]>();
  for (const { name } of subjects) samples.set(name, []);
  const count = Math.min(rounds, maxRounds);
  for (let round = 0; round < count; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const subject = subjects[(round + i) % subjects.length]!;
      onTrial(subject.name, round + 1, count);
      samples.get(subject.name)!.push(await subject.measure());
    }
  }
  return {
    name,
    title,
    settings: { ...settings, rounds: count },
    rows: subjects.map(({ name }) => rowOf(name, samples.get(name)!)),
    goals: goals.flatMap((goal) => checkGoal(goal, samples) ?? []),
  };
}
