/**
 * Begins to write replies: of cells, zones or sources.
 *
 * @module
 */
import type { ParsedRequest } from "../protocol/mod.ts";
import { CellsJob } from "./cells_job.ts";
import type { ServerContext } from "./context.ts";
import type { Pipeline } from "./pipeline.ts";
import type { ReplyJob } from "./reply_job.ts";
import { listSources } from "./sources/source_list.ts";
import { SourcesJob } from "./sources_job.ts";
import { ZonesJob, type ZonesMoment, type ZoneStates } from "./zones_job.ts";

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
   * @param zonesAt when the zones were brought up to date
   * @throws {RequestError} if the request cannot be answered
   */
  create(
    request: ParsedRequest,
    now: number,
    zonesAt: ZonesMoment,
  ): ReplyJob {
    const maxBytes = this.maxPayload(request);
    if (request.kind === "zones") {
      const { now, revision } = zonesAt;
      const zones = this.#zones;
      return new ZonesJob(request, { zones, now, revision, maxBytes });
    }
    if (request.kind === "sources") {
      const list = listSources(this.#context, request.query);
      return new SourcesJob(request, list, maxBytes);
    }
    const { map, displayOf } = this.#context;
    return new CellsJob(request, { map, now, displayOf, maxBytes });
  }

  /** Returns the maximum payload of a reply, in bytes. */
  maxPayload({ replyTopic, correlationData }: ParsedRequest): number {
    const { link } = this.#context;
    return link.maxPayload?.(replyTopic, { correlationData }) ?? Infinity;
  }
}
