/**
 * `deno task bench`: end-to-end benchmarks that compare our server with other
 * systems. Each runs in its own processes; they are measured in turn.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { brokerCases } from "./cases/broker_cases.ts";
import { historyCases } from "./cases/history_cases.ts";
import { historyIngestCases } from "./cases/history_ingest_cases.ts";
import { ingestCases } from "./cases/ingest_cases.ts";
import { latencyCases } from "./cases/latency_cases.ts";
import { memoryCases } from "./cases/memory_cases.ts";
import { replyCases } from "./cases/reply_cases.ts";
import { sharedCases } from "./cases/shared_cases.ts";
import { startCases } from "./cases/start_cases.ts";
import { zoneCases } from "./cases/zone_cases.ts";
import { describeMachine, describeVersions } from "./harness/machine.ts";
import { type Format, render, renderText } from "./harness/render.ts";
import type { CaseReport, Report } from "./harness/report.ts";
import { type Case, runCase, type Size, sizeOf } from "./harness/rounds.ts";
import { MOSQUITTO_SETTINGS } from "./systems/mosquitto.ts";

const HELP = `Usage: deno task bench [options]

Options:
  --quick              a quarter of the work, three rounds
  --rounds N           number of rounds
  --case NAMES         only these cases, separated by commas
  --subject TEXTS      only subjects whose name contains one of these
  --against DIR        also measure another checkout, as "before"
  --format FORMAT      text, json or markdown
  --list               list the cases`;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    case: { type: "string" },
    subject: { type: "string" },
    against: { type: "string" },
    format: { type: "string", default: "text" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const { quick, rounds, against, list } = values;
  const size = sizeOf({
    quick,
    ...(rounds !== undefined && { rounds: Number(rounds) }),
    ...(against !== undefined && { against }),
  });
  const names = values.case?.split(",");
  const texts = values.subject?.split(",").map((text) => text.trim());
  const format = formatOf(values.format);
  const cases = casesOf(size)
    .filter(({ name }) => names?.includes(name) ?? true)
    .map((one) => ({
      ...one,
      subjects: one.subjects.filter(({ name }) =>
        texts?.some((text) => name.includes(text)) ?? true
      ),
    }));
  if (list) {
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
    if (format !== "text") console.error(`\n${renderText(done)}\n`);
  }
  console.log(render(report, format));
}

function formatOf(text: string): Format {
  if (text === "text" || text === "json" || text === "markdown") return text;
  throw new RangeError(
    `Invalid --format ${JSON.stringify(text)}. Use text, json or markdown`,
  );
}

function casesOf(size: Size): Case[] {
  return [
    ...ingestCases(size),
    ...historyIngestCases(size),
    ...latencyCases(size),
    ...replyCases(size),
    ...memoryCases(size),
    ...startCases(size),
    ...brokerCases(size),
    ...zoneCases(size),
    ...sharedCases(size),
    ...historyCases(size),
  ];
}

function progressOf({ name }: Case) {
  return (subject: string, round: number, rounds: number) =>
    console.error(`${name}: round ${round} of ${rounds}, ${subject}`);
}
