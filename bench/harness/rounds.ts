import {
  type CaseReport,
  type Goal,
  judge,
  rowOf,
  type Sample,
} from "./report.ts";

/** Something that is measured: all of it starts afresh at each trial. */
export interface Subject {
  readonly name: string;
  measure(): Promise<Sample>;
}

/** The same work for several subjects. */
export interface Case {
  /** How it is chosen on the command line. */
  readonly name: string;
  readonly title: string;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly subjects: readonly Subject[];
  readonly goals?: readonly Goal[];
  /** Fewer rounds than usual, for what takes long and hardly varies. */
  readonly maxRounds?: number;
}

/** Told before each trial. */
export type Progress = (subject: string, round: number, rounds: number) => void;

/**
 * Measures the subjects of a case in turn, so that all of them see the same
 * weather; each round starts with another one.
 *
 * @throws {Error} if a trial fails: a figure of a run that lost something is none
 */
export async function runCase(
  { name, title, settings, subjects, goals = [], maxRounds = Infinity }: Case,
  rounds: number,
  progress: Progress,
): Promise<CaseReport> {
  const samples = new Map<string, Sample[]>();
  for (const { name } of subjects) samples.set(name, []);
  const least = Math.min(rounds, maxRounds);
  for (let round = 0; round < least; round++) {
    for (let i = 0; i < subjects.length; i++) {
      const subject = subjects[(round + i) % subjects.length]!;
      progress(subject.name, round + 1, least);
      samples.get(subject.name)!.push(await subject.measure());
    }
  }
  return {
    name,
    title,
    settings: { ...settings, rounds: least },
    rows: subjects.map(({ name }) => rowOf(name, samples.get(name)!)),
    goals: goals.flatMap((goal) => judge(goal, samples) ?? []),
  };
}
