/**
 * Shared by the programs under test: their options, and reports at marks.
 *
 * @module
 */
import { epoch, report } from "../harness/program_io.ts";
import type { ProgramOptions, ProgramReport } from "../systems/compared.ts";

/** The options of this program. */
export const options: ProgramOptions = JSON.parse(Deno.args[0]!);

const marks = [...options.marks];
let processed = 0;

/** Reports that the program is ready. */
export function reportReady(): void {
  reportTime();
}

/** Counts processed messages, and reports each mark. */
export function countProcessed(messages = 1): void {
  processed += messages;
  if (marks.length > 0 && processed >= marks[0]!) {
    marks.shift();
    reportTime();
  }
}

function reportTime(): void {
  report({ at: epoch() } satisfies ProgramReport);
}
