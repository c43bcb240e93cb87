/**
 * Cases of the history: how long questions about the past take, of a month of an
 * office of 100,000 desks.
 *
 * @module
 */
import { type TempDir, tempDir } from "../../tests/support/temp.ts";
import { Child, denoArgs } from "../harness/child.ts";
import type { Sample } from "../harness/report.ts";
import type { Case, Size } from "../harness/rounds.ts";

/** The questions, with the most that they should take, in ms. */
const QUESTIONS = [
  { name: "the map at any second", question: "map", atMost: 200 },
  { name: "a month of a zone by the hour", question: "zone", atMost: 50 },
  {
    name: "a month of utilisation of all cells",
    question: "utilisation",
    atMost: 500,
  },
] as const;

/** The case of questions. */
export function historyCases(size: Size): Case[] {
  const count = size.count(20);
  let made: Promise<string> | undefined;
  const file = () => made ??= makeMonth();
  return [{
    name: "history",
    title: "Questions about 30 days of 100,000 desks, SQLite",
    settings: { cells: 100_000, days: 30, questions: count },
    subjects: QUESTIONS.map(({ name, question }) => ({
      name,
      measure: async () => await ask(await file(), question, count),
    })),
    goals: QUESTIONS.map(({ name, atMost }) => ({
      what: "time of a question",
      figure: "questionP50Milliseconds",
      subject: name,
      atMost,
    })),
  }];
}

/** Makes the history, once. It is deleted at the end of the process. */
async function makeMonth(): Promise<string> {
  const dir: TempDir = await tempDir();
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(dir.path, { recursive: true });
  });
  const file = `${dir.path}/history.sqlite`;
  await run<unknown>(file, "make", 0);
  return file;
}

async function ask(
  file: string,
  question: string,
  count: number,
): Promise<Sample> {
  const { p50, worst, turn } = await run<{
    readonly p50: number;
    readonly worst: number;
    readonly turn: number;
  }>(file, question, count);
  return {
    figures: {
      questionP50Milliseconds: p50,
      slowestQuestionMilliseconds: worst,
      longestTurnMilliseconds: turn,
    },
  };
}

async function run<Report>(
  file: string,
  question: string,
  count: number,
): Promise<Report> {
  await using child = new Child(
    Deno.execPath(),
    denoArgs("bench/programs/ask_history.ts", [file, question, `${count}`]),
    { lines: "stdout" },
  );
  return await child.nextReport<Report>();
}
