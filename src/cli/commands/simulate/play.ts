/** Sends or prints simulated readings at a pace in real time. */
import type { Sender } from "../../../client/mod.ts";
import { delay } from "../../../common/async.ts";
import { ReadingBatch } from "../../../protocol/mod.ts";
import type { Pace, SceneReader } from "../../../simulate/mod.ts";
import { untilAborted } from "../../terminal/ending.ts";

/** Readings that are due within this time are sent together. */
const COALESCE_MS = 10;

/**
 * Sends readings at a pace, with the present as their time, until the reader
 * ends or the signal is aborted.
 *
 * @throws {LinkError} if the broker refuses a message, or the connection is
 * lost permanently
 */
export async function play(
  reader: SceneReader,
  pace: Pace,
  sender: Sender,
  signal: AbortSignal,
): Promise<void> {
  const aborted = untilAborted(signal);
  await forEachDue(reader, pace, signal, async (readings) => {
    readings.time.fill(Date.now(), 0, readings.length);
    await Promise.race([sender.send(readings), aborted]);
  });
  if (!signal.aborted) await sender.finish();
}

/**
 * Reads at a pace, until the reader ends or the signal is aborted.
 *
 * @param use called with the readings that are due; the next ones wait for it
 */
export async function forEachDue(
  reader: SceneReader,
  pace: Pace,
  signal: AbortSignal,
  use: (readings: ReadingBatch) => Promise<void>,
): Promise<void> {
  const readings = new ReadingBatch();
  const start = performance.now();
  while (!reader.ended && !signal.aborted) {
    readings.clear();
    const wait = pace.readDue(reader, performance.now() - start, readings);
    await use(readings);
    if (reader.ended) return;
    // A delay of 0 also lets the event loop handle signals and the network.
    await delay(wait === 0 ? 0 : Math.max(wait, COALESCE_MS), signal);
  }
}
