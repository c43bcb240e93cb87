/**
 * The metrics of the history.
 *
 * @module
 */
import type { HistoryInfo, HistoryService } from "../../history/answers.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";

/** One scrape reads the state once. */
const MAX_AGE_MS = 100;

/** Returns a function that reads the state of the history. */
function reader(history: HistoryService): () => HistoryInfo {
  let info: HistoryInfo | undefined;
  let readAt = -Infinity;
  return () => {
    const now = performance.now();
    if (info === undefined || now - readAt > MAX_AGE_MS) {
      info = history.info();
      readAt = now;
    }
    return info;
  };
}

/** Metrics that only increase; none if no history is recorded. */
export function historyCounters(
  history: HistoryService | undefined,
): ComputedMetric[] {
  if (history === undefined) return [];
  const info = reader(history);
  return [
    {
      name: "occupancy_history_late_total",
      help:
        "Readings that came too late to change the history at their time; they change it at the oldest time that is still open.",
      read: () => single(info().tooLate),
    },
    {
      name: "occupancy_history_dropped_total",
      help:
        "Changes that were not recorded because there were too many; the next sample has the latest state of their cells.",
      read: () => single(info().dropped),
    },
  ];
}

/** Metrics that increase and decrease; none if no history is recorded. */
export function historyGauges(
  history: HistoryService | undefined,
): ComputedMetric[] {
  if (history === undefined) return [];
  const info = reader(history);
  const gauge = (
    name: string,
    help: string,
    read: (info: HistoryInfo) => number | undefined,
  ): ComputedMetric => ({
    name: `occupancy_history_${name}`,
    help,
    read() {
      const value = read(info());
      return value === undefined ? [] : single(value);
    },
  });
  return [
    gauge(
      "up",
      "1 while the history is recorded, 0 while it is paused.",
      ({ recording }) => Number(recording),
    ),
    gauge("bytes", "Size of the history in the store.", ({ bytes }) => bytes),
    gauge(
      "max_bytes",
      "The size at which the oldest changes are deleted.",
      ({ maxBytes }) => maxBytes,
    ),
    gauge(
      "oldest_timestamp_seconds",
      "The first time of which the map is known, in seconds since 1970.",
      ({ oldest }) => oldest === undefined ? undefined : oldest / 1000,
    ),
    gauge(
      "lag_seconds",
      "How far the recording is behind the map, in seconds.",
      ({ lag }) => lag / 1000,
    ),
    {
      name: "occupancy_history_rows",
      help: "Rows of the history in the store, by kind.",
      labels: ["kind"],
      read: () =>
        Object.entries(info().rows).map((
          [kind, rows],
        ) => [rows, { kind }]),
    },
  ];
}
