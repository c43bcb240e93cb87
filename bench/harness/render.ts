import { digits, formatSpread, headingOf } from "./format.ts";
import type { CaseReport, GoalReport, Report, Row } from "./report.ts";

/** How a report can be printed. */
export type Format = "text" | "json" | "markdown";

/** A report as it is printed. */
export function render(report: Report, format: Format): string {
  if (format === "json") return JSON.stringify(report, null, 2);
  const heading = format === "markdown" ? "### " : "";
  const table = format === "markdown" ? markdownTable : textTable;
  return [
    describe(report),
    ...report.cases.map((one) => renderCase(one, heading, table)),
  ].join("\n\n");
}

/** One case, for whoever watches the run. */
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
    "Figures are medians over interleaved rounds, [least–most]; goals are medians of the ratios within a round.",
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
