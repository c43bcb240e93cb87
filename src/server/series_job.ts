/**
 * Writes a series for a reply, in slices.
 *
 * @module
 */
import {
  encodeSeriesHeader,
  type ParsedRequest,
  type PartList,
  type Series,
  SeriesReplyWriter,
  type SeriesRequest,
} from "../protocol/mod.ts";
import { ListJob } from "./list_job.ts";

/** Approximate bytes of a step. */
const POINT_BYTES = 140;
/** Steps of a slice: less than a millisecond of work. */
const SLICE_STEPS = 256;

/** The series that a request selects. */
export class SeriesJob extends ListJob<SeriesRequest> {
  readonly #series: Series;
  readonly now: number;

  /**
   * Begins to write a series.
   *
   * @param now the server's clock, ms since 1970
   * @param maxBytes maximum payload that the broker accepts, in bytes
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(
    request: SeriesRequest,
    series: Series,
    now: number,
    maxBytes: number,
  ) {
    const count = series.start.length;
    super(request, { count, itemBytes: POINT_BYTES, maxBytes });
    this.#series = series;
    this.now = now;
  }

  protected *write(): Generator<void, PartList> {
    const header = this.#headerFor(this.request);
    const maxBytes = this.partBytes;
    const writer = this.fit(
      () => "the header",
      () => new SeriesReplyWriter({ ...header, maxBytes }),
    );
    const { length } = this.#series.start;
    for (let index = 0; index < length; index++) {
      this.fit(() => "a step", () => writer.step(index));
      if (index % SLICE_STEPS === SLICE_STEPS - 1) yield;
    }
    return writer.end();
  }

  protected headerStart(request: ParsedRequest): string {
    return encodeSeriesHeader(this.#headerFor(request));
  }

  #headerFor(request: ParsedRequest) {
    return {
      ...this.transactionOf(request),
      time: this.now,
      series: this.#series,
    };
  }
}
