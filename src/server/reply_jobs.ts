/**
 * Begins to write replies: of cells, of the past, zones or sources.
 *
 * @module
 */
import type { ParsedRequest } from "../protocol/mod.ts";
import { CellsJob } from "./cells_job.ts";
import type { ServerContext } from "./context.ts";
import { isPastRequest } from "./past_questions.ts";
import type { Pipeline } from "./pipeline.ts";
import type { ReplyJob } from "./reply_job.ts";
import { listSources } from "./sources/source_list.ts";
import { SourcesJob } from "./sources_job.ts";
import { PastJob } from "./past_job.ts";
import type { Prepared } from "./preparation.ts";
import { SeriesJob } from "./series_job.ts";
import { ZonesJob, type ZoneStates } from "./zones_job.ts";

/** Creates the jobs that write replies. */
export class ReplyJobs {
  readonly #context: ServerContext;
  readonly #pipeline: Pick<Pipeline, "refresh">;
  readonly #zones: ZoneStates;

  constructor(
    context: ServerContext,
    pipeline: Pick<Pipeline, "refresh">,
    zones: ZoneStates,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#zones = zones;
  }

  /** Returns true, and counts it, if no client would receive a reply. */
  lacksSubscriber(topic: string): boolean {
    const { link, telemetry } = this.#context;
    if (link.hasSubscriber?.(topic) !== false) return false;
    telemetry.stats.limited.add("replies-without-subscriber");
    return true;
  }

  /** Returns the time at which the map is correct, ms since 1970. */
  refresh(): number {
    return this.#pipeline.refresh() ?? this.#context.clock.now();
  }

  /**
   * Begins a reply.
   *
   * @param now the time at which the map is correct
   * @param prepared what was awaited for it, see `Preparation.isNeeded`
   * @throws {RequestError} if the request cannot be answered
   */
  create(
    request: ParsedRequest,
    now: number,
    prepared?: Prepared,
  ): ReplyJob {
    const maxBytes = this.maxPayload(request);
    if (request.kind === "zones") {
      const { now, revision } = prepared!.zones!;
      const zones = this.#zones;
      return new ZonesJob(request, { zones, now, revision, maxBytes });
    }
    if (request.kind === "sources") {
      const list = listSources(this.#context, request.query);
      return new SourcesJob(request, list, maxBytes);
    }
    const { map, displayOf } = this.#context;
    const answer = prepared?.answer;
    if (request.kind === "past" && answer?.kind === "past") {
      const display = displayOf?.(request.layer);
      const { map } = answer;
      return new PastJob(request, { map, now, display, maxBytes });
    }
    if (request.kind === "series" && answer?.kind === "series") {
      return new SeriesJob(request, answer.series, now, maxBytes);
    }
    if (isPastRequest(request)) throw new Error("The past was not asked for");
    return new CellsJob(request, { map, now, displayOf, maxBytes });
  }

  /** Returns the maximum payload of a reply, in bytes. */
  maxPayload({ replyTopic, correlationData }: ParsedRequest): number {
    const { link } = this.#context;
    return link.maxPayload?.(replyTopic, { correlationData }) ?? Infinity;
  }
}
