/**
 * What is recorded, and how much there is.
 *
 * @module
 */
import type { HistoryInfo } from "../../../history/answers.ts";
import { SEEN } from "../parts.ts";
import { inMs, type Question } from "./question.ts";
import { rolledUp } from "./zone_series.ts";

const MAX_GAPS = 100;

/** What the options and the recorder say. */
export type KnownInfo = Omit<
  HistoryInfo,
  "oldest" | "oldestRollup" | "newest" | "bytes" | "rows" | "gaps"
>;

/** Adds to what is known what the tables have. */
export function info(question: Question, known: KnownInfo): HistoryInfo {
  const { tables, recorded, now } = question;
  const rollups = rolledUp(question).from;
  const { bytes, ...kinds } = tables.size();
  const newest = known.recording && known.lag === 0
    ? now
    : tables.meta.get(SEEN);
  const inTime = rollups === undefined
    ? []
    : question.gaps({ from: rollups, to: now + 1 });
  return {
    ...known,
    ...(known.cells && recorded.from !== undefined &&
      { oldest: recorded.from * 1000 }),
    ...(rollups !== undefined && { oldestRollup: rollups * 1000 }),
    ...(newest !== undefined && { newest: newest * 1000 }),
    bytes,
    rows: {
      parts: kinds.parts.rows,
      blocks: kinds.blocks.rows,
      frames: kinds.frames.rows,
      "cell-days": kinds.cellDays.rows,
      "zone-days": kinds.zoneDays.rows,
    },
    gaps: inMs(inTime.slice(-MAX_GAPS)),
  };
}
