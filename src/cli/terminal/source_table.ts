/**
 * Renders the sources of readings: a table for people, lines for pipes, JSON
 * for programs.
 *
 * @module
 */
import { plural } from "../../common/plural.ts";
import { printable, printableJson } from "../../common/printable.ts";
import type { SourceList, SourceState } from "../../protocol/mod.ts";
import { formatAge } from "./render.ts";
import { renderTable } from "./table.ts";

/** How {@linkcode renderSourceTable} renders. */
export interface SourceTableOptions {
  /** Columns of the terminal. A narrow one gets fewer columns of the table. */
  readonly width: number;
  readonly color: boolean;
}

/** Renders a summary, and a table with a row for each source. */
export function renderSourceTable(
  list: SourceList,
  { width, color }: SourceTableOptions,
): string {
  const { sources, time, silentAfter } = list;
  const summary = `${summaryOf(list)}\n`;
  if (sources.length === 0) return summary;
  const columns: [head: string, text: (state: SourceState) => string][] = [
    ["source", ({ source }) => printable(source)],
    ...(silentAfter === undefined
      ? []
      : [["state", stateOf] as [string, typeof stateOf]]),
    ["last reading", ({ last }) => `${formatAge(time - last)} ago`],
    ["per second", ({ rate }) => rateText(rate)],
    ["readings", ({ readings }) => String(readings)],
    ["refused", ({ refused }) => String(refused)],
    ["reason", ({ lastRefused }) => printable(lastRefused?.code ?? "")],
  ];
  return summary + renderTable(
    {
      head: columns.map(([head]) => head),
      rows: sources.map((state) => columns.map(([, text]) => text(state))),
      optional: ["readings", "reason", "per second", "refused"],
      alignedRight: ["last reading", "per second", "readings", "refused"],
    },
    width,
    color,
  );
}

/**
 * Renders a line for each source, its columns separated by tabs: name, silent
 * or reporting, last reading, readings per second, readings, refused readings
 * and the last reason.
 */
export function renderSourceLines({ sources }: SourceList): string {
  return sources.map((state) =>
    [
      printable(state.source),
      stateOf(state),
      new Date(state.last).toISOString(),
      state.rate,
      state.readings,
      state.refused,
      printable(state.lastRefused?.code ?? ""),
    ].join("\t") + "\n"
  ).join("");
}

/** Renders a JSON object on a line for each source. */
export function renderSourceJson({ sources }: SourceList): string {
  return sources.map((state) => `${printableJson(state)}\n`).join("");
}

function summaryOf(list: SourceList): string {
  const { total, silent, silentAfter, unnamed, unlisted, time } = list;
  return [
    plural(total, "source"),
    ...(silentAfter === undefined
      ? []
      : [`${silent} silent for more than ${formatAge(silentAfter)}`]),
    ...(unnamed === undefined ? [] : [
      `${plural(unnamed.readings, "reading")} without a source, the last ${
        formatAge(time - unnamed.last)
      } ago`,
    ]),
    ...(unlisted === undefined ? [] : [
      `${plural(unlisted.readings, "reading")} of sources that are not listed`,
    ]),
  ].join(" · ");
}

function stateOf({ silent }: SourceState): string {
  return silent ? "silent" : "reporting";
}

/** Such as `31.4`; below ten with two decimals. */
function rateText(rate: number): string {
  return rate.toFixed(rate < 10 ? 2 : 1);
}
