/**
 * What the publishers of a chaos run send, and the map that must come of it.
 * Pure: the same seed gives the same messages.
 *
 * @module
 */

/** One reading; without a time it is dated by the server. */
export interface Planned {
  readonly x: number;
  readonly y: number;
  /** No other reading of the run has it: what the map shows tells who wrote it. */
  readonly value: number;
  /** ms since 1970. */
  readonly time?: number;
}

/** One PUBLISH. */
export interface Message {
  readonly payload: string;
  readonly readings: readonly Planned[];
}

/** What one run sends. */
export interface Workload {
  /** The messages of each publisher, in the order in which it sends them. */
  readonly publishers: readonly (readonly Message[])[];
  /** The cells of the final map, by `x,y`. */
  readonly expected: ReadonlyMap<string, Planned>;
}

/** How big a run is. */
export interface WorkloadOptions {
  /** How many readings all publishers send together. */
  readonly readings: number;
  readonly publishers: number;
  readonly seed: number;
  /** The clock, ms since 1970: readings with a time are older than this. */
  readonly now: number;
}

/** Cells that many readings fight over, along each side. */
const SIDE = 20;
/** Share of messages with more readings than one. */
const BATCHED = 0.02;
const MAX_BATCH = 20;

/**
 * Plans a run. A third of the readings have a cell each, so that each one that
 * is lost shows. A third, without a time, fight over the cells of their
 * publisher: the last one sent must win. A third, with shuffled times, fight
 * over cells that all publishers share: the latest must win, however they
 * arrive.
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

/** Numbers from 0 to 1 that a seed determines (mulberry32, Tommy Ettinger). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
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
  const x = Math.floor(random() * SIDE);
  const y = Math.floor(random() * SIDE);
  return kind === 1
    ? { x, y: y + (publisher + 1) * 1000, value }
    : { x, y, value, time };
}

/** Latest by time where there is one, else the last one sent. */
function expect(expected: Map<string, Planned>, reading: Planned): void {
  const key = `${reading.x},${reading.y}`;
  const known = expected.get(key);
  if (known?.time !== undefined && known.time > reading.time!) return;
  expected.set(key, reading);
}

/** CSV or a JSON batch, as it comes. */
function encode(readings: readonly Planned[], random: () => number): string {
  const rows = readings.map(({ x, y, value, time }) =>
    time === undefined ? [x, y, value] : [x, y, value, time]
  );
  return random() < 0.9
    ? rows.map((row) => row.join()).join("\n")
    : JSON.stringify({ source: "chaos", cells: rows });
}

/** The numbers from 0 to `count` - 1 in any order (Fisher and Yates). */
function shuffled(count: number, random: () => number): Float64Array {
  const numbers = Float64Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}
