/// <reference lib="dom" />
/**
 * Answers the page's questions about utilisation with figures that a test
 * chooses, in the form of `GET /api/v1/history/utilisation`.
 *
 * @module
 */
import type { Page } from "playwright-core";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_DAYS = 7;

/** A cell, and the share of the time in which it is known and occupied. */
export interface FakeCell {
  readonly x: number;
  readonly y: number;
  /** Of the known time, 0 to 1, before the share of the hour. */
  readonly share: number;
  /** 0 to 1 */
  readonly known: number;
  /** The last days of the period in which it is unknown. */
  readonly unknownDays?: number;
}

/** The history of a test. */
export interface FakeHistory {
  readonly cells: readonly FakeCell[];
  /** The present, ms since 1970. */
  readonly now: number;
  /** How busy an hour is, about 1. @param day 0 Monday */
  busy?(day: number, hour: number): number;
  /** How much of an hour of the week is known, 0 to 1. */
  known?(day: number, hour: number): number;
  /** Called with each question. */
  onQuestion?(query: URLSearchParams): void;
  /** Answers with this problem instead. */
  problem?(): { status: number; detail: string; hint?: string } | undefined;
}

/** Answers questions of a page. */
export async function routeHistory(
  page: Page,
  history: FakeHistory,
): Promise<void> {
  const isHistory = (url: URL) => url.pathname.includes("/api/v1/history");
  await page.route(isHistory, async (route) => {
    const url = new URL(route.request().url());
    const problem = history.problem?.();
    if (problem) {
      const { status, ...body } = problem;
      await route.fulfill({
        status,
        contentType: "application/problem+json",
        body: JSON.stringify(body),
      });
    } else if (url.pathname.endsWith("/utilisation")) {
      history.onQuestion?.(url.searchParams);
      await route.fulfill({ json: answer(url.searchParams, history) });
    } else await route.fulfill({ json: info(history) });
  });
}

function info({ now }: FakeHistory) {
  return {
    ...{ recording: true, resolution: 1, cells: true, keep: 30 * 86_400 },
    ...{ keepRollups: 730 * 86_400, oldest: now - 30 * DAY_MS },
    ...{ oldestRollup: now - 200 * DAY_MS, newest: now, bytes: 0 },
    ...{ maxBytes: 1e9, lag: 0, tooLate: 0, gaps: [], timezone: "UTC" },
  };
}

/** Days as in a question: `1-5` or `1,3`. */
function daysOf(text: string): number[] {
  return text.split(",").flatMap((item) => {
    const [first, last = first] = item.split("-").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

function timeOf(text: string, now: number): number {
  if (text === "now") return now;
  return /^\d+$/.test(text) ? Number(text) : Date.parse(`${text}T00:00:00Z`);
}

function answer(query: URLSearchParams, history: FakeHistory) {
  const { now, busy = () => 1, known = () => 1 } = history;
  const days = daysOf(query.get("days")!);
  const hours = query.get("hours")!.split("-").map(Number) as [number, number];
  const from = timeOf(query.get("from")!, now);
  const to = Math.min(now, timeOf(query.get("to")!, now));
  const region = query.get("region")?.split(",").map(Number);
  const cells = history.cells.filter(({ x, y }) =>
    region === undefined ||
    x >= region[0]! && x <= region[2]! && y >= region[1]! && y <= region[3]!
  );
  const starts: number[] = [];
  for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < to; day += DAY_MS) {
    if (days.includes((new Date(day).getUTCDay() + 6) % WEEK_DAYS + 1)) {
      starts.push(day);
    }
  }
  const daySeconds = (hours[1] - hours[0]) * 3600;
  const seconds = starts.length * daySeconds;
  const use = cells.map((cell) => {
    const unknown = Math.min(cell.unknownDays ?? 0, starts.length);
    const knownSeconds = seconds * cell.known *
      (1 - unknown / Math.max(1, starts.length));
    return { occupied: knownSeconds * cell.share, known: knownSeconds };
  });
  const last = now - now % DAY_MS;
  return {
    ...{ layer: query.get("layer"), from, to, days, hours, timezone: "UTC" },
    ...{ seconds, dayCount: starts.length, gaps: [] },
    cells: {
      x: cells.map(({ x }) => x),
      y: cells.map(({ y }) => y),
      occupied: use.map(({ occupied }) => Math.round(occupied)),
      known: use.map(({ known }) => Math.round(known)),
      changes: cells.map(({ share }) => Math.round(share * 8 * starts.length)),
      last: cells.map(({ share, unknownDays = 0 }) =>
        share === 0 ? null : last - unknownDays * DAY_MS + 14.3 * HOUR_MS
      ),
    },
    week: weekOf({ starts, hours, cells, busy, known }),
    ...(query.get("by") === "day" && {
      byDay: {
        start: starts,
        ...byDayOf(cells, starts, daySeconds),
      },
    }),
  };
}

function weekOf({ starts, hours, cells, busy, known }: {
  readonly starts: readonly number[];
  readonly hours: readonly [number, number];
  readonly cells: readonly FakeCell[];
  readonly busy: (day: number, hour: number) => number;
  readonly known: (day: number, hour: number) => number;
}) {
  const all = cells.reduce((sum, cell) => sum + cell.known, 0);
  const used = cells.reduce((sum, cell) => sum + cell.known * cell.share, 0);
  const matrix = (value: (day: number, hour: number) => number) =>
    Array.from(
      { length: WEEK_DAYS },
      (_, day) =>
        Array.from({ length: 24 }, (_, hour) => {
          const count = starts.filter((ms) =>
            (new Date(ms).getUTCDay() + 6) % WEEK_DAYS === day
          ).length;
          const counts = hour >= hours[0] && hour < hours[1];
          return counts
            ? count * 3600 * known(day, hour) * value(day, hour)
            : 0;
        }),
    );
  return {
    occupied: matrix((day, hour) => Math.min(all, used * busy(day, hour))),
    known: matrix(() => all),
  };
}

function byDayOf(
  cells: readonly FakeCell[],
  starts: readonly number[],
  daySeconds: number,
) {
  const known = cells.map((cell) =>
    starts.map((_, day) =>
      day >= starts.length - (cell.unknownDays ?? 0)
        ? 0
        : Math.round(daySeconds * cell.known)
    )
  );
  return {
    known,
    occupied: cells.map(({ x, y, share }, row) =>
      starts.map((_, day) => {
        const wave = 1 + Math.sin(day * 1.7 + x * 0.9 + y * 2.3);
        return Math.round(Math.min(1, share * wave) * known[row]![day]!);
      })
    ),
  };
}
