import { epoch } from "../harness/clock.ts";
import type { ProgramOptions, ProgramReport } from "../systems/compared.ts";

/** What this program was started with. */
export const options: ProgramOptions = JSON.parse(Deno.args[0]!);

const marks = [...options.marks];
let count = 0;

/** Says that the program is ready. */
export function sayReady(): void {
  say();
}

/** Counts messages that have been dealt with; says when a mark is reached. */
export function dealtWith(messages = 1): void {
  count += messages;
  if (marks.length > 0 && count >= marks[0]!) {
    marks.shift();
    say();
  }
}

function say(): void {
  const report: ProgramReport = { at: epoch() };
  console.log(JSON.stringify(report));
}
