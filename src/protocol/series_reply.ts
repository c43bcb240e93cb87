/**
 * Writes replies with a series, joins their parts and reads them.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { encodeHeaderStart, PartWriter } from "./part_writer.ts";
import { regionFrom } from "./region.ts";
import { PartAssembler } from "./reply_assembler.ts";
import type { SeriesPart } from "./reply_reader.ts";
import type { Scalar } from "./request.ts";
import { type GapMs, type Series, STEPS } from "./series.ts";
import { describeJson, isJsonObject } from "./text.ts";

/** The header of each part has at most this many gaps, the last ones. */
const MAX_GAPS = 100;

/** The columns of a series. */
const COLUMNS = [
  ...["start", "least", "mean", "most"] as const,
  ...["occupied", "known", "entries"] as const,
];

/** The header of a reply: all but the steps. */
export interface SeriesReplyHeader {
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
  /** The server's time, ms since 1970. */
  readonly time: number;
  /** What is written. */
  readonly series: Series;
}

/** Options of {@linkcode SeriesReplyWriter}. */
export interface SeriesReplyOptions extends SeriesReplyHeader {
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/** Writes the steps of a series directly into the parts to publish. */
export class SeriesReplyWriter extends PartWriter {
  readonly #series: Series;

  /**
   * Starts a reply.
   *
   * @param options header and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header
   */
  constructor({ maxBytes, ...header }: SeriesReplyOptions) {
    const headerStart = encodeSeriesHeader(header);
    super({ headerStart, form: "series", maxBytes });
    this.#series = header.series;
  }

  /**
   * Adds a step.
   *
   * @param index of the step, from 0
   * @throws {RangeError} if it does not fit a part
   */
  step(index: number): void {
    const values = COLUMNS.map((name) => [name, this.#series[name][index]]);
    this.element(JSON.stringify(Object.fromEntries(values)));
  }
}

/** Encodes the header of a reply up to the number of the part. */
export function encodeSeriesHeader(
  { transaction, time, series }: SeriesReplyHeader,
): string {
  const { from, to, step, timezone, zone, layer, region, capacity } = series;
  const { gaps, damaged } = series;
  return encodeHeaderStart({
    ...{ transaction, status: "ok", time },
    ...{ from, to, step, timezone, zone, layer },
    region: region && [region.x0, region.y0, region.x1, region.y1],
    capacity,
    gaps: gaps.slice(-MAX_GAPS),
    damaged: damaged?.slice(-MAX_GAPS),
  });
}

/** Joins the parts of one reply with a series. */
export class SeriesAssembler extends PartAssembler<SeriesPart> {
  constructor() {
    super(["transaction", "time", "parts"]);
  }

  /**
   * Returns the series.
   *
   * @throws {ProtocolError} "bad-reply" if it is not valid
   * @throws {Error} if parts are missing
   */
  series(): Series {
    const steps = this.inOrder().flatMap(({ series }) => series);
    return readSeries(this.header!.head, steps);
  }
}

function readSeries(
  head: Record<string, unknown>,
  steps: readonly unknown[],
): Series {
  const { zone, layer, capacity, timezone, region, damaged } = head;
  const step = STEPS.find((one) => one === head.step);
  if (step === undefined) return fail("step", "15m, 1h, 1d or 1w", head.step);
  if (typeof layer !== "string") return fail("layer", "a string", layer);
  if (typeof timezone !== "string") {
    return fail("timezone", "a string", timezone);
  }
  const corners = regionFrom(region);
  return {
    ...{ from: numberOf(head, "from"), to: numberOf(head, "to"), step },
    ...{ timezone, layer },
    ...(zone !== undefined && { zone: readZone(zone) }),
    ...(corners && { region: corners }),
    ...(capacity !== undefined && { capacity: numberOf(head, "capacity") }),
    start: steps.map((one) => numberOf(one, "start")),
    least: steps.map((one) => numberOrNull(one, "least")),
    mean: steps.map((one) => numberOrNull(one, "mean")),
    most: steps.map((one) => numberOrNull(one, "most")),
    occupied: steps.map((one) => numberOrNull(one, "occupied")),
    known: steps.map((one) => numberOf(one, "known")),
    entries: steps.map((one) => numberOrNull(one, "entries")),
    gaps: readGaps(head.gaps),
    ...(damaged !== undefined && { damaged: readGaps(damaged) }),
  };
}

function readZone(zone: unknown): { name: string; title: string } {
  if (!isJsonObject(zone)) return fail("zone", "an object", zone);
  const { name, title } = zone;
  if (typeof name !== "string") return fail("name", "a string", name);
  if (typeof title !== "string") return fail("title", "a string", title);
  return { name, title };
}

function readGaps(gaps: unknown): GapMs[] {
  if (!Array.isArray(gaps)) return fail("gaps", "an array", gaps);
  for (const gap of gaps as unknown[]) {
    if (
      !Array.isArray(gap) || gap.length !== 2 ||
      !gap.every((time) => typeof time === "number")
    ) fail("a gap", "[from,to]", gap);
  }
  return gaps as GapMs[];
}

function numberOrNull(step: unknown, key: string): number | null {
  return isJsonObject(step) && step[key] === null ? null : numberOf(step, key);
}

function numberOf(object: unknown, key: string): number {
  const value = isJsonObject(object) ? object[key] : undefined;
  return typeof value === "number" ? value : fail(key, "a number", value);
}

function fail(what: string, expected: string, value: unknown): never {
  throw new ProtocolError(
    "bad-reply",
    `the reply is not valid: ${what} is not ${expected}: ${
      describeJson(value)
    }`,
  );
}
