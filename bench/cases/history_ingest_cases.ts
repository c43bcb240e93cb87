/**
 * Cases of the history: what recording it costs, beside the same server without
 * it, which gets the same messages.
 *
 * @module
 */
import type { Goal } from "../harness/report.ts";
import { type Case, ourSubjects, type Size } from "../harness/rounds.ts";
import { occupancy } from "../systems/occupancy.ts";
import { ingest, type IngestShape } from "./ingest.ts";

const STORES = ["memory", "sqlite"] as const;
const MIN_RATIO = 0.9;
const MAX_MEMORY_BYTES = 64 * 2 ** 20;

/** Ingest with a history and without. */
export function historyIngestCases(size: Size): Case[] {
  const shape = { qos: 1, order: "sweep", cells: 1_000_000 } as const;
  return [
    history(size, "history-one", "1 reading per message", {
      ...shape,
      readingsPerMessage: 1,
      warmUp: size.count(400_000),
      messages: size.count(8_000_000),
      cells: 10_000,
      window: 4000,
    }),
    history(size, "history-many-100", "100 readings per message, dense", {
      ...shape,
      readingsPerMessage: 100,
      warmUp: size.count(20_000),
      // Some seconds: after a sample, the recording rests.
      messages: size.count(1_000_000),
      window: 400,
    }),
    history(size, "history-scattered", "100 readings per message, scattered", {
      ...shape,
      readingsPerMessage: 100,
      warmUp: size.count(2_000),
      messages: size.count(10_000),
      order: "scattered",
      window: 400,
    }),
  ];
}

function history(
  size: Size,
  name: string,
  title: string,
  shape: IngestShape,
): Case {
  const nameOf = (store: string, history: boolean) =>
    history ? store : `${store}, no history`;
  return {
    name,
    title: `With and without history: ${title}, QoS 1, embedded broker`,
    settings: { ...shape },
    subjects: STORES.flatMap((store) =>
      [true, false].flatMap((history) =>
        ourSubjects(
          nameOf(store, history),
          size,
          (root) =>
            ingest(
              occupancy({ transport: "embedded", store, history, root }),
              shape,
              { checked: true, memory: true },
            ),
        )
      )
    ),
    goals: STORES.flatMap((store): Goal[] => {
      const of = { subject: nameOf(store, true), over: nameOf(store, false) };
      return [
        {
          ...of,
          what: "ratio to the server without history",
          figure: "messagesPerSecond",
          atLeast: MIN_RATIO,
        },
        {
          ...of,
          what: "more memory than without history",
          figure: "peakResidentBytes",
          difference: true,
          atMost: MAX_MEMORY_BYTES,
        },
      ];
    }),
  };
}
