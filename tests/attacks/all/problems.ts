/**
 * What is wrong with a result of the attacks, and its table.
 *
 * @module
 */
import { ATTACKS } from "./attacks.ts";
import type { Operation } from "./good_client.ts";
import {
  type AttackReport,
  isCounted,
  MAX_BYTES,
  type Result,
} from "./run_attacks.ts";

/** Each line of the log begins with its time; forged ones do not. */
// deno-lint-ignore no-control-regex
const LOG_LINE = /^\d{4}-\d\d-\d\dT[^\x1b]*$/;

/** What `deno task attacks` aims at; not on a machine with other load. */
export interface Aims {
  /** For the good client's 99th percentile, in ms. */
  readonly maxP99Ms: number;
  /** For its requests over MQTT, compared with those without an attack. */
  readonly maxP99Ratio?: number;
  /** For turns of the server's event loop, in ms of the processor. */
  readonly maxTurnMs: number;
}

const NO_AIMS: Aims = { maxP99Ms: Infinity, maxTurnMs: Infinity };

/**
 * Returns what is wrong with a result of {@linkcode runAttacks}.
 *
 * @param aims default: none, then only what must hold on any machine
 */
export function problemsOf(
  { reports, alive, stopped, lost, log }: Result,
  { maxP99Ms, maxP99Ratio = Infinity, maxTurnMs }: Aims = NO_AIMS,
): string[] {
  const quiet = reports.find(({ name }) => name === "none")?.p99.request ?? 0;
  const problems = reports.flatMap(({ name, ...report }) => {
    const { p99, failures, peakBytes, counted, turns } = report;
    return [
      ...Object.entries(p99).filter(([, ms]) => ms > maxP99Ms)
        .map(([operation, ms]) =>
          `99% of ${operation} within ${ms.toFixed(0)} ms`
        ),
      ...(p99.request > maxP99Ratio * quiet
        ? [`99% of request within ${(p99.request / quiet).toFixed(1)} times`]
        : []),
      ...(turns.some((ms) => ms > maxTurnMs)
        ? [`turns of ${turns.slice(0, 3)} ms`]
        : []),
      ...(failures.length > 0
        ? [`${failures.length} failures of a good client: ${failures[0]}`]
        : []),
      ...(peakBytes > MAX_BYTES ? [`${megabytes(peakBytes)} MiB`] : []),
      ...(isCounted(name, counted)
        ? []
        : [`none counted of ${ATTACKS[name]!.counted.join(", ")}`]),
    ].map((problem) => `${name}: ${problem}`);
  });
  return [
    ...problems,
    ...(alive ? [] : ["the server did not survive"]),
    ...(alive && stopped?.code !== 0
      ? [`SIGTERM: ${JSON.stringify(stopped) ?? "no end in time"}`]
      : []),
    ...log.split("\n").filter((line) => line !== "" && !LOG_LINE.test(line))
      .map((line) => `a line that is not of the server is in its log: ${line}`),
    ...lost.map((cell) => `an acknowledged reading is lost: ${cell}`),
  ];
}

/** Returns a report as one line of a table; its head without a report. */
export function reportLine(report?: AttackReport): string {
  if (report === undefined) {
    return columns([
      "attack",
      "request",
      "GET",
      "QoS 1",
      "turns",
      "MiB",
      "log",
    ]) +
      "counted";
  }
  const { name, p50, p99, max, counted, peakBytes, logLines, turns } = report;
  const times = (of: Operation) =>
    [p50, p99, max].map((ms) => ms[of].toFixed(0)).join("/");
  return columns([
    name,
    ...[times("request"), times("get"), times("reading")],
    turns.slice(0, 3).join(),
    megabytes(peakBytes),
    String(logLines),
  ]) + [...counted].map(([limit, count]) => `${limit} ${count}`).join(", ");
}

function columns(texts: readonly string[]): string {
  const widths = [26, 15, 15, 15, 15, 5, 5];
  return texts.map((text, i) => text.padEnd(widths[i]!)).join(" ");
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
