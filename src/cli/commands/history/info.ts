/**
 * `occupancy history info`: what a server records of the past.
 *
 * @module
 */
import { writeDuration } from "../../../common/duration.ts";
import { printable, printableJson } from "../../../common/printable.ts";
import { bytesText, spanText } from "../../../common/sizes.ts";
import type { HistoryInfo } from "../../../history/answers.ts";
import { timeWriter } from "../../../history/time_text.ts";

/** Gaps of a table; more are counted. */
const MAX_GAPS = 20;

/** Returns the state of a history as lines `name  value`, for people. */
export function renderInfo(info: HistoryInfo, timezone: string): string {
  const time = timeWriter(timezone, true);
  const timeOrNone = (ms: number | undefined) =>
    ms === undefined ? "none" : time(ms);
  const percent = (100 * info.bytes / info.maxBytes).toFixed(1);
  const gaps = info.gaps.slice(-MAX_GAPS).toReversed();
  const more = info.gaps.length - gaps.length;
  const problem = printable(info.problem ?? "no reason is known");
  const rows: [string, string][] = [
    ["recording", info.recording ? "yes" : `paused: ${problem}`],
    ["cells", info.cells ? `kept ${keepText(info.keep)}` : "rollups only"],
    ["rollups", `kept ${keepText(info.keepRollups)}`],
    ["resolution", `${info.resolution} s`],
    [
      "size",
      `${bytesText(info.bytes)} of ${bytesText(info.maxBytes)} (${percent}%)`,
    ],
    ["oldest map", timeOrNone(info.oldest)],
    ["oldest rollup", timeOrNone(info.oldestRollup)],
    ["newest", timeOrNone(info.newest)],
    ["behind", `${Math.round(info.lag)} ms`],
    ["too late", `${info.tooLate} readings since the start`],
    ["time zone", printable(info.timezone)],
    ...gaps.map(([from, to], i): [string, string] => [
      i === 0 ? "gaps" : "",
      `${time(from)} to ${time(to)} (${spanText(to - from)})`,
    ]),
    ...gaps.length === 0 ? [["gaps", "none"] as [string, string]] : [],
    ...more > 0 ? [["", `… and ${more} before`] as [string, string]] : [],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`)
    .join("");
}

/** Returns the state as one JSON object on a line. */
export function infoJson(info: HistoryInfo): string {
  return `${printableJson(info)}\n`;
}

function keepText(seconds: number): string {
  return writeDuration(Math.round(seconds) * 1000);
}
