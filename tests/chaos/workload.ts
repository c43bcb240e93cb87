/**
 * The messages of a chaos run and the expected map. Pure: the same seed gives
 * the same messages.
 *
 * @module
 */
import { Random } from "../../src/simulate/random.ts";

/** A reading. Without a time, the server uses the time of receipt. */
export interface Planned {
  readonly x: number;
  readonly y: number;
  /** Unique in the run: a value on the map identifies its reading. */
  readonly value: number;
  /** ms since 1970 */
  readonly time?: number;
}

/** One PUBLISH. */
export interface Message {
  /** Default: that of the default layer. */
  readonly topic?: string;
  readonly payload: string;
  readonly readings: readonly Planned[];
}

/** The messages of a run. */
export interface Workload {
  /** The messages of each publisher, in the order of sending. */
  readonly publishers: readonly (readonly Message[])[];
  /** The cells of the final map, by `x,y`. */
  readonly expected: ReadonlyMap<string, Planned>;
}

/** Options of {@linkcode planWorkload}. */
export interface WorkloadOptions {
  /** Number of readings of all publishers. */
  readonly readings: number;
  readonly publishers: number;
  readonly seed: number;
  /** The present, ms since 1970: readings with a time are older. */
  readonly now: number;
}

/** Side of the square of cells that many readings set. */
const SIDE_CELLS = 20;
/** Share of messages with several readings. */
const BATCHED = 0.02;
const MAX_BATCH = 20;

/**
 * Plans a run. There are three kinds of readings, each a third of all:
 *
 * - Each sets a cell that no other reading sets: every lost reading is visible.
 * - Without a time, in the cells of its publisher: the last one sent must win.
 * - With a shuffled time, in cells that all publishers set: the latest time
 *   must win, in any order of arrival.
 */
export function planWorkload(options: WorkloadOptions): Workload {
  const { readings, publishers, seed, now } = options;
  const random = randomFrom(seed);
  const expected = new Map<string, Planned>();
  const times = shuffled(readings, random);
  const plans: Message[][] = Array.from({ length: publishers }, () => []);
  for (let sent = 0; sent < readings;) {
    const publisher = Math.floor(random() * publishers);
    const size = random() < BATCHED
      ? Math.min(1 + Math.floor(random() * MAX_BATCH), readings - sent)
      : 1;
    const message: Planned[] = [];
    for (let i = 0; i < size; i++, sent++) {
      const reading = plan(sent, publisher, random, now - 1 - times[sent]!);
      expect(expected, reading);
      message.push(reading);
    }
    plans[publisher]!.push({
      payload: encode(message, random),
      readings: message,
    });
  }
  return { publishers: plans, expected };
}

/** Returns random numbers from 0 to 1; the same seed repeats them. */
export function randomFrom(seed: number): () => number {
  const random = new Random(seed);
  return () => random.unit();
}

function plan(
  number: number,
  publisher: number,
  random: () => number,
  time: number,
): Planned {
  const value = number + 1;
  const kind = Math.floor(random() * 3);
  if (kind === 0) return { x: number, y: -1 - publisher, value };
  const x = Math.floor(random() * SIDE_CELLS);
  const y = Math.floor(random() * SIDE_CELLS);
  return kind === 1
    ? { x, y: y + (publisher + 1) * 1000, value }
    : { x, y, value, time };
}

/** Expects the latest reading by time, or the last one sent without times. */
function expect(expected: Map<string, Planned>, reading: Planned): void {
  const key = `${reading.x},${reading.y}`;
  const known = expected.get(key);
  if (known?.time !== undefined && known.time > reading.time!) return;
  expected.set(key, reading);
}

/** Encodes as CSV or, one time in ten, as a JSON batch. */
function encode(readings: readonly Planned[], random: () => number): string {
  const rows = readings.map(({ x, y, value, time }) =>
    time === undefined ? [x, y, value] : [x, y, value, time]
  );
  return random() < 0.9
    ? rows.map((row) => row.join()).join("\n")
    : JSON.stringify({ source: "chaos", cells: rows });
}

/** The numbers from 0 to `count` - 1 in random order (Fisher and Yates). */
function shuffled(count: number, random: () => number): Float64Array {
  const numbers = Float64Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}
