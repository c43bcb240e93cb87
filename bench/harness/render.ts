/**
 * Prints a report as text, JSON or Markdown.
 *
 * @module
 */
import type { CaseReport, GoalReport, Report, Row } from "./report.ts";
import type { Spread } from "./statistics.ts";

/** The form of a printed report. */
export type Format = "text" | "json" | "markdown";

/** Prints a report. */
export function render(report: Report, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const heading = format === "markdown" ? "### " : "";
  const table = format === "markdown" ? markdownTable : textTable;
  return [
    describe(report),
    ...report.cases.map((one) => renderCase(one, heading, table)),
  ].join("\n\n");
}

/** Prints one case as text. */
export function renderText(report: CaseReport): string {
  return renderCase(report, "", textTable);
}

type Table = (rows: readonly (readonly string[])[]) => string;

function renderCase(report: CaseReport, heading: string, table: Table): string {
  const { title, settings, rows, goals } = report;
  const names = [
    ...new Set(rows.flatMap(({ figures }) => Object.keys(figures))),
  ];
  const limited = rows.some(({ limits }) => limits.length > 0);
  const blocks = [
    `${heading}${title}`,
    pairs(settings),
    table([
      ["", ...names.map(headingOf), ...(limited ? ["limit"] : [])],
      ...rows.map((row) => cellsOf(row, names, limited)),
    ]),
  ];
  if (goals.length > 0) {
    blocks.push(
      table([["goal", "", "measured", ""], ...goals.map(goalCells)]),
    );
  }
  return blocks.join("\n\n");
}

function cellsOf(
  { subject, figures, limits }: Row,
  names: readonly string[],
  limited: boolean,
): string[] {
  const shown = names.map((name) => {
    const figure = figures[name];
    return figure === undefined ? "" : formatSpread(name, figure);
  });
  return [subject, ...shown, ...(limited ? [limits.join("; ")] : [])];
}

function goalCells(goal: GoalReport): string[] {
  const { what, subject, figure, over, atLeast, atMost, measured, met } = goal;
  const ratio = over !== undefined && !goal.difference;
  const show = (value: number) =>
    ratio
      ? digits(value)
      : formatSpread(figure, { median: value, min: value, max: value });
  const limit = atLeast !== undefined
    ? `≥ ${show(atLeast)}`
    : `≤ ${show(atMost!)}`;
  const { median, min, max } = measured;
  return [
    `${subject}: ${what}`,
    limit,
    `${show(median)} [${show(min)}–${show(max)}]`,
    met ? "met" : "NOT MET",
  ];
}

function describe({ startedAt, machine, versions, settings }: Report): string {
  const { cpu, cores, memoryBytes, system, fdatasyncMilliseconds } = machine;
  const memory = formatSpread("memoryBytes", {
    median: memoryBytes,
    min: memoryBytes,
    max: memoryBytes,
  });
  const sync = formatSpread("fdatasyncMilliseconds", fdatasyncMilliseconds);
  return [
    `${startedAt}: ${cores} cores of ${cpu}, ${memory}, ${system}; fdatasync ${sync}`,
    pairs(versions),
    pairs(settings),
    "Figures are medians over interleaved rounds, [min–max]; goals compare medians of the ratios within a round.",
  ].join("\n\n");
}

function pairs(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => `${key} ${value}`).join(
    ", ",
  );
}

function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows
    .map((row) =>
      row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")
        .trimEnd()
    )
    .join("\n");
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), line(head!.map(() => "---")), ...body.map(line)]
    .join("\n");
}

/** Units by the end of a figure's name; the first match applies. */
const UNITS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/PerSecond$/, (value) => scaled(value, 1000, ["", "k", "M"])],
  [/Microseconds(PerMessage)?$/, (value) => `${digits(value)} µs`],
  [/Milliseconds$/, (value) => `${digits(value)} ms`],
  [/Seconds(PerMillion\w+)?$/, (value) => `${digits(value)} s`],
  [/BytesPerCell$/, (value) => `${digits(value)} B`],
  [/Bytes$/, (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB"])],
];

/** A figure with its unit and spread: `98.0 k [95.0 k–101 k]`. */
export function formatSpread(name: string, spread: Spread): string {
  const { median, min, max } = spread;
  const format = UNITS.find(([pattern]) => pattern.test(name))?.[1] ?? digits;
  return min === max
    ? format(median)
    : `${format(median)} [${format(min)}–${format(max)}]`;
}

/** A figure's name as a heading: `server CPU per message`. */
export function headingOf(name: string): string {
  return name
    .replace(/(Microseconds|Milliseconds)(?=PerMessage$)/, "")
    .replace(/(Microseconds|Milliseconds)$/, "")
    .replace(/(?<=.)Bytes/, "")
    .replace(/Per([A-Z])/g, " per $1")
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/\bcpu\b/, "CPU");
}

/** A number with three significant digits, or all digits before the point. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

function scaled(
  value: number,
  step: number,
  units: readonly string[],
): string {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${digits(value)} ${units[unit]}`.trimEnd();
}
