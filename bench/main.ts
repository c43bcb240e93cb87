/**
 * Benchmarks from end to end: our server beside other ways to do the same, each
 * in processes of its own, in turns. `deno task bench --help` tells the options.
 *
 * @module
 */
import { Command, Option } from "commander";
import { ingestCases } from "./cases/ingest_cases.ts";
import { latencyCases } from "./cases/latency_cases.ts";
import { memoryCases } from "./cases/memory_cases.ts";
import { replyCases } from "./cases/reply_cases.ts";
import { type Size, sizeOf } from "./cases/size.ts";
import { startCases } from "./cases/start_cases.ts";
import { describeMachine, describeVersions } from "./harness/machine.ts";
import { type Format, render, renderText } from "./harness/render.ts";
import type { CaseReport, Report } from "./harness/report.ts";
import { type Case, runCase } from "./harness/rounds.ts";
import { MOSQUITTO_SETTINGS } from "./systems/mosquitto.ts";

interface Flags {
  readonly quick: boolean;
  readonly rounds?: number;
  readonly case?: readonly string[];
  readonly subject?: readonly string[];
  readonly against?: string;
  readonly format: Format;
  readonly list?: true;
}

const program = new Command("bench")
  .description("Measures the server beside other ways to do the same.")
  .option("--quick", "a quarter of the work, three rounds", false)
  .option("--rounds <n>", "how often each subject is measured", Number)
  .option("--case <name...>", "only these cases")
  .option("--subject <text...>", "only subjects whose names have one of these")
  .option("--against <dir>", "measure another checkout too, as “before”")
  .addOption(
    new Option("--format <form>", "what is printed at the end")
      .choices(["text", "json", "markdown"])
      .default("text"),
  )
  .option("--list", "print the names of the cases");

program.parse(["deno", "bench", ...Deno.args]);
await main(program.opts<Flags>());

async function main(flags: Flags): Promise<void> {
  const size = sizeOf(flags);
  const cases = casesOf(size)
    .filter(({ name }) => flags.case?.includes(name) ?? true)
    .map((one) => ({
      ...one,
      subjects: one.subjects.filter(({ name }) =>
        flags.subject?.some((text) => name.includes(text)) ?? true
      ),
    }));
  if (flags.list) {
    for (const { name, title } of cases) console.log(`${name}\t${title}`);
    return;
  }
  const report: Report & { cases: CaseReport[] } = {
    startedAt: new Date().toISOString(),
    machine: await describeMachine(),
    versions: await describeVersions(),
    settings: { quick: size.quick, ...MOSQUITTO_SETTINGS },
    cases: [],
  };
  for (const one of cases) {
    const done = await runCase(one, size.rounds, progressOf(one));
    report.cases.push(done);
    if (flags.format !== "text") console.error(`\n${renderText(done)}\n`);
  }
  console.log(render(report, flags.format));
}

function casesOf(size: Size): Case[] {
  return [
    ...ingestCases(size),
    ...latencyCases(size),
    ...replyCases(size),
    ...memoryCases(size),
    ...startCases(size),
  ];
}

function progressOf({ name }: Case) {
  return (subject: string, round: number, rounds: number) =>
    console.error(`${name}: round ${round} of ${rounds}, ${subject}`);
}
