/**
 * Answers about the past as tables for people.
 *
 * @module
 */
import { plural } from "../../../common/plural.ts";
import { spanText } from "../../../common/sizes.ts";
import { timeWriter } from "../../../history/time_text.ts";
import { printable } from "../../../common/printable.ts";
import type { GapMs } from "../../../history/answers.ts";
import { columnsOfText } from "../../terminal/columns.ts";
import { shade, sparkline, UNKNOWN_MARK } from "../../terminal/sparkline.ts";
import { renderTable } from "../../terminal/table.ts";
import { barText } from "../../terminal/zone_rows.ts";
import type { UtilisationAnswer } from "../../../history/answers.ts";
import type { SeriesAnswer } from "./history_client.ts";

const BOLD = "\x1b[1m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
const BAR_COLUMNS = 10;
const AXIS_HOURS = 6;
const DAY_NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/** The gaps in a note; more are counted. */
const MAX_GAPS = 3;

const NO_RECORDS = "Nothing was recorded for";
const DAMAGED = "A part of the records is damaged, of";

/** How a table is shown. */
export interface TableLook {
  /** Columns of the terminal. */
  readonly width: number;
  readonly color: boolean;
  /** More rows are counted. */
  readonly maxRows: number;
}

/** A table, and how many lines at its start stay visible in a pager. */
export interface PastTable {
  readonly text: string;
  readonly headerLines: number;
}

/** Renders a series: a sparkline of the means, then a row for each step. */
export function renderSeries(
  series: SeriesAnswer,
  { width, color, maxRows }: TableLook,
): PastTable {
  const { start, least, mean, most, occupied, known, entries } = series;
  const { zone, layer, region, capacity, step, timezone } = series;
  const time = timeWriter(timezone, step.endsWith("m") || step.endsWith("h"));
  const name = zone === undefined ? layer : zone.title;
  const top = capacity ?? Math.max(0, ...most.map((one) => one ?? 0));
  const parts = [
    ...region ? [`region ${region.join()}`] : [],
    `${time(series.from)} to ${time(series.to)} (${timezone})`,
    `by ${step}`,
    `${shareText(meanOf(known))} known`,
    ...capacity === undefined ? [] : [`capacity ${capacity}`],
  ];
  const head = headLines(name, parts, { width, color });
  const line = sparkline(mean, width - 1);
  if (line !== "") head.push(line);
  const bar = (i: number) =>
    mean[i] === null
      ? UNKNOWN_MARK.repeat(BAR_COLUMNS)
      : barText(top === 0 ? 0 : 100 * mean[i]! / top, BAR_COLUMNS);
  const shown = start.slice(0, maxRows);
  const table = renderTable(
    {
      head: ["start", "least", "mean", "most", "occ.", "known", "in", "graph"],
      rows: shown.map((ms, i) => [
        time(ms),
        countText(least[i]!),
        countText(mean[i]!),
        countText(most[i]!),
        shareText(occupied[i]!),
        shareText(known[i]!),
        countText(entries[i]!),
        bar(i),
      ]),
      optional: ["in", "graph", "least", "occ.", "most"],
      alignedRight: ["least", "mean", "most", "occ.", "known", "in"],
    },
    width,
    color,
  );
  const notes = [
    ...hiddenNote(start.length - shown.length, "step"),
    ...gapNotes(NO_RECORDS, series.gaps, timezone),
    ...gapNotes(DAMAGED, series.damaged ?? [], timezone),
  ];
  return join(head, table, notes, color);
}

/** Renders the use of cells: a week by hours, then a row for each cell. */
export function renderUtilisation(
  answer: UtilisationAnswer,
  { width, color, maxRows }: TableLook,
): PastTable {
  const { cells, days, hours, timezone, week, layer } = answer;
  const time = timeWriter(timezone, true);
  const sum = (values: readonly number[]) =>
    values.reduce((sum, one) => sum + one, 0);
  const [occupied, known] = [sum(cells.occupied), sum(cells.known)];
  const total = answer.seconds * cells.x.length;
  const parts = [
    `${time(answer.from)} to ${time(answer.to)} (${timezone})`,
    ...days.length < 7 ? [days.map((day) => DAY_NAMES[day - 1]).join(" ")] : [],
    ...hours[1] - hours[0] < 24 ? [`${hours[0]}–${hours[1]} h`] : [],
    plural(answer.dayCount, "day"),
    plural(cells.x.length, "cell"),
    `${shareText(partOf(occupied, known))} used`,
    `${shareText(partOf(known, total))} known`,
  ];
  const head = headLines(layer, parts, { width, color });
  const [from, to] = hours;
  head.push(hourAxis(from, to));
  for (const day of days) {
    const row = Array.from({ length: to - from }, (_, i) => {
      const hour = from + i;
      const seconds = week.known[day - 1]![hour]!;
      return shade(partOf(week.occupied[day - 1]![hour]!, seconds));
    }).join("");
    head.push(`${DAY_NAMES[day - 1]} ${row}`.trimEnd());
  }
  const order = cells.x.map((_, i) => i).sort((a, b) =>
    (partOf(cells.occupied[b]!, cells.known[b]!) ?? -1) -
      (partOf(cells.occupied[a]!, cells.known[a]!) ?? -1) ||
    cells.y[a]! - cells.y[b]! || cells.x[a]! - cells.x[b]!
  );
  const shown = order.slice(0, maxRows);
  const table = renderTable(
    {
      head: ["x", "y", "used", "known", "hours", "changes", "last", "graph"],
      rows: shown.map((i) => {
        const part = partOf(cells.occupied[i]!, cells.known[i]!);
        const last = cells.last[i]!;
        return [
          String(cells.x[i]),
          String(cells.y[i]),
          shareText(part),
          shareText(partOf(cells.known[i]!, answer.seconds)),
          (cells.occupied[i]! / 3600).toFixed(1),
          String(cells.changes[i]),
          last === null ? "" : time(last),
          part === null
            ? UNKNOWN_MARK.repeat(BAR_COLUMNS)
            : barText(100 * part, BAR_COLUMNS),
        ];
      }),
      optional: ["changes", "last", "hours", "graph"],
      alignedRight: ["x", "y", "used", "known", "hours", "changes", "last"],
    },
    width,
    color,
  );
  const notes = [
    ...hiddenNote(order.length - shown.length, "cell"),
    ...gapNotes(NO_RECORDS, answer.gaps, timezone),
    ...gapNotes(DAMAGED, answer.damaged ?? [], timezone),
  ];
  return join(head, table, notes, color);
}

/** The hours above a week: one column each, every sixth is named. */
function hourAxis(from: number, to: number): string {
  let axis = "";
  for (let hour = from; hour < to; hour++) {
    const isNamed = hour === from || hour % AXIS_HOURS === 0;
    const column = DAY_NAMES[0]!.length + 1 + hour - from;
    // Not into the name before.
    if (isNamed && axis.length <= column) {
      axis = axis.padEnd(column) + String(hour);
    }
  }
  return axis;
}

/** Says which times have no records, or damaged ones. */
function gapNotes(
  what: string,
  gaps: readonly GapMs[],
  timezone: string,
): string[] {
  if (gaps.length === 0) return [];
  const time = timeWriter(timezone, true);
  const texts = gaps.slice(-MAX_GAPS).map(([from, to]) =>
    `${time(from)} to ${time(to)}`
  );
  const more = gaps.length - texts.length;
  const rest = more > 0 ? ` and ${more} before` : "";
  const span = spanText(gaps.reduce((sum, [from, to]) => sum + to - from, 0));
  return [`${what} ${span}: ${texts.join(", ")}${rest}`];
}

function hiddenNote(hidden: number, noun: string): string[] {
  return hidden > 0
    ? [`… and ${plural(hidden, `more ${noun}`)}. A pipe gets all.`]
    : [];
}

function headLines(
  name: string,
  parts: readonly string[],
  { width, color }: Pick<TableLook, "width" | "color">,
): string[] {
  const title = printable(name);
  const lines = [title];
  for (const [i, part] of parts.entries()) {
    const longer = `${lines.at(-1)}${i === 0 ? "  " : " · "}${part}`;
    if (columnsOfText(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  if (color && lines[0]!.startsWith(title)) {
    lines[0] = BOLD + title + RESET + lines[0]!.slice(title.length);
  }
  return lines;
}

function join(
  head: readonly string[],
  table: string,
  notes: readonly string[],
  color: boolean,
): PastTable {
  const shown = notes.map((note) => color ? DIM + note + RESET : note);
  return {
    text: [...head, table.trimEnd(), ...shown].join("\n") + "\n",
    headerLines: head.length + 1,
  };
}

/** Such as `37%`; `?` if it is unknown. */
function shareText(part: number | null): string {
  if (part === null) return "?";
  const percent = 100 * part;
  // 99.9% is not all, and 0.1% is not none.
  const isNear = percent > 0 && percent < 1 || percent > 99 && percent < 100;
  return `${isNear ? percent.toFixed(1) : Math.round(percent)}%`;
}

function countText(count: number | null): string {
  if (count === null) return "?";
  return Number.isInteger(count) ? String(count) : count.toFixed(1);
}

function partOf(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}
