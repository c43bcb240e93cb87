/**
 * The quarters of hours of a zone, for one day (UTC).
 *
 * A zone is *known* in a second if one of its cells is fresh and known, and the
 * second is not in a gap. All numbers are of known time only.
 *
 * Encoded, see `packed_bytes.ts` for the frame around it: a bit for each quarter
 * of the day, 1 if it was recorded. Then, for each such quarter, varints: seconds
 * known; if that is not 0, seconds occupied, entries, and three numbers: least,
 * most - least, and the mean * seconds known. A number is 1 + an integer below
 * 2^52, or 0 and then a float64; the mean itself, if it is not an integer divided
 * by the seconds.
 *
 * @module
 */

import type { BinaryReader, BinaryWriter } from "../feed/binary.ts";
import { DAY_QUARTERS, QUARTER_SECONDS } from "./hour.ts";
import { expectEnd, pack, unpack } from "./packed_bytes.ts";
import { readBits, writeBits } from "./state_column.ts";

/** The only format that this module writes and reads. */
const QUARTERS_FORMAT = 1;
const MAX_ENTRIES = 0xffff;
const MAX_INTEGER = 2 ** 52;
/** The most bytes of the content. */
const MAX_CONTENT_BYTES = DAY_QUARTERS * (1 + 7 + 3 * 9);

/** The numbers of a zone, by quarter of the day, 0 to 95. */
export class ZoneQuarters {
  /** 1 for a quarter that was recorded, even if nothing was known in it. */
  readonly has: Uint8Array<ArrayBuffer> = new Uint8Array(DAY_QUARTERS);
  /** The least count; NaN without known time. As `ZoneState.count`. */
  readonly least: Float64Array<ArrayBuffer> = new Float64Array(DAY_QUARTERS);
  /** The mean count over the known time; NaN without. */
  readonly mean: Float64Array<ArrayBuffer> = new Float64Array(DAY_QUARTERS);
  /** The largest count; NaN without known time. */
  readonly most: Float64Array<ArrayBuffer> = new Float64Array(DAY_QUARTERS);
  /** Seconds in which the zone was occupied, 0 to 900. */
  readonly occupiedSeconds: Uint16Array<ArrayBuffer> = new Uint16Array(
    DAY_QUARTERS,
  );
  /** Seconds in which it was known, 0 to 900. */
  readonly knownSeconds: Uint16Array<ArrayBuffer> = new Uint16Array(
    DAY_QUARTERS,
  );
  /** How often the zone became occupied after it was free; at most 65535. */
  readonly entries: Uint16Array<ArrayBuffer> = new Uint16Array(DAY_QUARTERS);

  constructor() {
    this.clear();
  }

  /** Removes all quarters. */
  clear(): void {
    this.has.fill(0);
    this.least.fill(NaN);
    this.mean.fill(NaN);
    this.most.fill(NaN);
    this.occupiedSeconds.fill(0);
    this.knownSeconds.fill(0);
    this.entries.fill(0);
  }
}

/** Encodes quarters; deflated. */
export function encodeZoneQuarters(
  quarters: ZoneQuarters,
): Uint8Array<ArrayBuffer> {
  return pack(QUARTERS_FORMAT, (writer) => {
    writeBits(writer, quarters.has, DAY_QUARTERS);
    for (let i = 0; i < DAY_QUARTERS; i++) {
      if (quarters.has[i] === 1) writeQuarter(writer, quarters, i);
    }
  }, true);
}

function writeQuarter(
  writer: BinaryWriter,
  quarters: ZoneQuarters,
  i: number,
): void {
  const known = quarters.knownSeconds[i]!;
  writer.uint(known);
  if (known === 0) return;
  writer.uint(quarters.occupiedSeconds[i]!);
  writer.uint(quarters.entries[i]!);
  const least = quarters.least[i]!;
  writeNumber(writer, least);
  writeNumber(writer, quarters.most[i]! - least);
  const mean = quarters.mean[i]!;
  const sum = Math.round(mean * known);
  if (isShort(sum) && sum / known === mean) writer.uint(1 + sum);
  else {
    writer.uint(0);
    writer.float64(mean);
  }
}

function writeNumber(writer: BinaryWriter, number: number): void {
  if (isShort(number)) writer.uint(1 + number);
  else {
    writer.uint(0);
    writer.float64(number);
  }
}

function isShort(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number < MAX_INTEGER;
}

/**
 * Decodes quarters.
 *
 * @param bytes of {@linkcode encodeZoneQuarters}, from any source
 * @param into becomes the quarters; empty if this throws
 * @throws {RangeError} if the bytes are not valid
 */
export function decodeZoneQuarters(
  bytes: Uint8Array,
  into: ZoneQuarters,
): void {
  into.clear();
  try {
    const reader = unpack(bytes, QUARTERS_FORMAT, MAX_CONTENT_BYTES);
    readBits(reader, into.has, 0, DAY_QUARTERS);
    for (let i = 0; i < DAY_QUARTERS; i++) {
      if (into.has[i] === 1) readQuarter(reader, into, i);
    }
    expectEnd(reader);
  } catch (error) {
    into.clear();
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`Cannot read quarters of a zone: ${error.message}`);
  }
}

function readQuarter(
  reader: BinaryReader,
  into: ZoneQuarters,
  i: number,
): void {
  const known = reader.uint();
  if (known === 0) return;
  const occupied = reader.uint();
  const entries = reader.uint();
  const least = readNumber(reader);
  const most = least + readNumber(reader);
  const sum = reader.uint();
  const mean = sum === 0 ? reader.float64() : (sum - 1) / known;
  if (
    known > QUARTER_SECONDS || occupied > known || entries > MAX_ENTRIES ||
    !(least >= 0 && least <= mean && mean <= most && most < Infinity)
  ) throw new RangeError(`quarter ${i} is not possible`);
  into.knownSeconds[i] = known;
  into.occupiedSeconds[i] = occupied;
  into.entries[i] = entries;
  into.least[i] = least;
  into.mean[i] = mean;
  into.most[i] = most;
}

function readNumber(reader: BinaryReader): number {
  const number = reader.uint();
  return number === 0 ? reader.float64() : number - 1;
}
