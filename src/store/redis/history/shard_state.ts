/**
 * What servers have in memory of the history of a shard: how much there is, and
 * the small lists.
 *
 * @module
 */
import type { Gap } from "../../../history/gaps.ts";
import type { HistoryCount, HistorySize } from "../../history_tables.ts";
import type { Reply } from "../deployment.ts";
import { list, text } from "../stream_entry.ts";

/** Of a row with its key, beside its bytes: measured with MEMORY USAGE. */
const ROW_OVERHEAD_BYTES = 64;

const KINDS = {
  parts: "parts",
  blocks: "blocks",
  frames: "frames",
  cellDays: "cell-days",
  zoneDays: "zone-days",
} as const;

type Kind = keyof typeof KINDS;

/** The history of a shard, as Redis had it at one moment. */
export interface ShardState {
  readonly sizes: ReadonlyMap<string, number>;
  /** Hours that are not ended. */
  readonly openHours: readonly number[];
  readonly layers: readonly string[];
  readonly oldestHour: number | undefined;
  readonly oldestDay: number | undefined;
  /** Of shard 0. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Of shard 0. */
  readonly gaps: readonly Gap[];
}

/** The state of a shard without a history. */
export const NO_STATE: ShardState = {
  sizes: new Map(),
  openHours: [],
  layers: [],
  oldestHour: undefined,
  oldestDay: undefined,
  numbers: new Map(),
  gaps: [],
};

/**
 * Decodes the reply of a script.
 *
 * @throws {RangeError} if it is not a state
 */
export function decodeState(reply: Reply | undefined): ShardState {
  const [sizes, open, layers, hour, cellDay, zoneDay, numbers, gaps] = list(
    reply,
  );
  const days = [numberOf(cellDay), numberOf(zoneDay)]
    .filter((day) => day !== undefined);
  return {
    sizes: numbersOf(sizes),
    openHours: [...numbersOf(open).keys()].map(Number)
      .filter(Number.isFinite),
    layers: list(layers).map(text),
    oldestHour: numberOf(hour),
    oldestDay: days.length === 0 ? undefined : Math.min(...days),
    numbers: numbersOf(numbers),
    gaps: list(gaps).map(text).map(decodeGap).filter(isGap),
  };
}

/** Writes a gap as the name of a field. */
export function encodeGap({ from, to }: Gap): string {
  return `${from}:${to}`;
}

/** Returns how much there is in some shards. */
export function sizeOf(states: readonly ShardState[]): HistorySize {
  let bytes = 0;
  const counts = {} as Record<Kind, HistoryCount>;
  for (const [name, kind] of Object.entries(KINDS)) {
    const sum = (what: string) =>
      states.reduce((all, { sizes }) => all + (sizes.get(what) ?? 0), 0);
    const count = { rows: sum(`${kind}:rows`), bytes: sum(`${kind}:bytes`) };
    counts[name as Kind] = count;
    bytes += count.bytes + count.rows * ROW_OVERHEAD_BYTES;
  }
  return { bytes, ...counts };
}

function decodeGap(gap: string): Gap {
  const [from, to] = gap.split(":").map(Number);
  return { from: from!, to: to! };
}

/** False for a field of another program. */
function isGap({ from, to }: Gap): boolean {
  return Number.isFinite(from) && Number.isFinite(to);
}

/** Decodes names and values, one after the other, without what is no number. */
function numbersOf(reply: Reply | undefined): Map<string, number> {
  const items = list(reply).map(text);
  const numbers = new Map<string, number>();
  for (let i = 0; i < items.length; i += 2) {
    const value = Number(items[i + 1]);
    if (Number.isFinite(value)) numbers.set(items[i]!, value);
  }
  return numbers;
}

function numberOf(reply: Reply | undefined): number | undefined {
  const value = text(reply);
  return value === "" ? undefined : Number(value);
}
