/**
 * Writes the list of sources for a reply, in slices.
 *
 * @module
 */
import {
  encodeSourcesHeader,
  type ParsedRequest,
  type PartList,
  type SourceList,
  type SourcesReplyHeader,
  SourcesReplyWriter,
  type SourcesRequest,
} from "../protocol/mod.ts";
import { quote } from "../protocol/text.ts";
import { ListJob } from "./list_job.ts";

/** Approximate bytes of a source with a name of 30 characters. */
const SOURCE_BYTES = 220;
/** Sources of a step: less than a millisecond of work. */
const STEP_SOURCES = 256;

/** The sources that a request selects, as of the construction. */
export class SourcesJob extends ListJob<SourcesRequest> {
  readonly #list: SourceList;

  /**
   * Begins to write a list.
   *
   * @param maxBytes maximum payload that the broker accepts, in bytes
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: SourcesRequest, list: SourceList, maxBytes: number) {
    const count = list.sources.length;
    super(request, { count, itemBytes: SOURCE_BYTES, maxBytes });
    this.#list = list;
  }

  get now(): number {
    return this.#list.time;
  }

  protected *write(): Generator<void, PartList> {
    const header = this.#headerFor(this.request);
    const maxBytes = this.partBytes;
    const writer = this.fit(
      () => "the header",
      () => new SourcesReplyWriter({ ...header, maxBytes }),
    );
    for (const [i, state] of this.#list.sources.entries()) {
      if (i % STEP_SOURCES === STEP_SOURCES - 1) yield;
      this.fit(
        () => `the source ${quote(state.source)}`,
        () => writer.source(state),
      );
    }
    return writer.end();
  }

  protected headerStart(request: ParsedRequest): string {
    return encodeSourcesHeader(this.#headerFor(request));
  }

  #headerFor(request: ParsedRequest): SourcesReplyHeader {
    const { sources: _, ...header } = this.#list;
    return { ...this.transactionOf(request), ...header };
  }
}
