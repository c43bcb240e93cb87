/**
 * Answers questions about the history of a map.
 *
 * @module
 */
import { inTurns, type WaitingWork } from "../../../common/turns.ts";
import type {
  ChangesQuery,
  HistoryInfo,
  HistoryService,
  MapAtQuery,
  PastChanges,
  PastMap,
  RegionSeriesQuery,
  Series,
  Utilisation,
  UtilisationQuery,
  ZoneSeriesQuery,
} from "../../../history/answers.ts";
import type { TimeZone } from "../../../history/calendar.ts";
import { HOUR_SECONDS } from "../../../history/hour.ts";
import { checkTimeZone } from "../../../history/questions.ts";
import { ProtocolError } from "../../../protocol/mod.ts";
import { type HistoryTables, StoreError } from "../../../store/store.ts";
import type { Zones } from "../../../zones/mod.ts";
import type { ServerLog } from "../../log.ts";
import type { PruningOptions } from "../pruning.ts";
import type { Recorder } from "../recorder.ts";
import { changes } from "./changes.ts";
import { noCells } from "./checks.ts";
import { info } from "./info.ts";
import { mapAt } from "./map_at.ts";
import { Question } from "./question.ts";
import { regionSeries } from "./region_series.ts";
import { utilisation } from "./utilisation.ts";
import { zoneSeries } from "./zone_series.ts";

/** Questions about this time before the present need what happens now. */
const RECENT_MS = 2 * HOUR_SECONDS * 1000;
/** The map is captured at most once in this time. */
const CAPTURE_INTERVAL_MS = 1000;
/** Questions at the same time. */
const MAX_QUESTIONS = 16;
/** A question is asked again if rows were deleted meanwhile, so often. */
const MAX_ATTEMPTS = 3;

/** What is kept, as the options of the server say. */
export interface KeptHistory extends PruningOptions {
  /** A state begins at a multiple of this; seconds. */
  readonly stepSeconds: number;
  /** The default time zone, an IANA name. */
  readonly timezone: string;
}

/** What a {@linkcode HistoryQueries} needs of its server. */
export interface QueryContext {
  readonly tables: HistoryTables;
  readonly recorder: Pick<
    Recorder,
    "capture" | "dropped" | "lagMs" | "tooLate"
  >;
  readonly log: Pick<ServerLog, "warnLimited">;
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
  /** Returns the present zones. */
  readonly zones: () => Zones;
  /** Returns why the history is paused; undefined while it works. */
  readonly problem: () => string | undefined;
  readonly kept: KeptHistory;
}

/**
 * Answers from the tables. Questions at the same time share the turns of the
 * event loop.
 */
export class HistoryQueries implements HistoryService {
  readonly #context: QueryContext;
  #capturedAt = -Infinity;
  #captured: Promise<unknown> = Promise.resolve();
  #questions = 0;

  constructor(context: QueryContext) {
    this.#context = context;
  }

  info(): HistoryInfo {
    const { recorder, kept, problem } = this.#context;
    const paused = problem();
    return info(this.#question(), {
      recording: paused === undefined,
      ...(paused !== undefined && { problem: paused }),
      resolution: kept.stepSeconds,
      cells: kept.cells,
      keep: kept.keepSeconds,
      keepRollups: kept.keepRollupsSeconds,
      maxBytes: kept.maxBytes,
      lag: Math.round(recorder.lagMs),
      tooLate: recorder.tooLate,
      dropped: recorder.dropped,
      timezone: kept.timezone,
    });
  }

  async mapAt(query: MapAtQuery): Promise<PastMap> {
    if (!this.#context.kept.cells) throw noCells();
    return await this.#ask(query.at, (question) => mapAt(question, query));
  }

  async changes(query: ChangesQuery): Promise<PastChanges> {
    if (!this.#context.kept.cells) throw noCells();
    return await this.#ask(query.to, (question) => changes(question, query));
  }

  async zoneSeries(query: ZoneSeriesQuery): Promise<Series> {
    const { zones, kept } = this.#context;
    const zone = this.#timeZone(query.timezone);
    return await this.#ask(
      query.to,
      (question) =>
        zoneSeries(question, query, zone, zones(), kept.keepRollupsSeconds),
    );
  }

  async regionSeries(query: RegionSeriesQuery): Promise<Series> {
    const { keepRollupsSeconds } = this.#context.kept;
    const zone = this.#timeZone(query.timezone);
    return await this.#ask(
      query.to,
      (question) => regionSeries(question, query, zone, keepRollupsSeconds),
    );
  }

  async utilisation(query: UtilisationQuery): Promise<Utilisation> {
    const { keepRollupsSeconds } = this.#context.kept;
    const zone = this.#timeZone(query.timezone);
    return await this.#ask(
      query.to,
      (question) => utilisation(question, query, zone, keepRollupsSeconds),
    );
  }

  /** @param to the last time that is asked for, ms since 1970 */
  async #ask<Answer>(
    to: number,
    workOn: (question: Question) => WaitingWork<Answer>,
  ): Promise<Answer> {
    if (this.#questions >= MAX_QUESTIONS) {
      throw new ProtocolError(
        "overloaded",
        `${MAX_QUESTIONS} questions about the history are being answered`,
        { hint: "Ask again later, or for less." },
      );
    }
    this.#questions++;
    try {
      if (to >= this.#context.now() - RECENT_MS) await this.#capture();
      for (let attempt = 1;; attempt++) {
        await this.#context.tables.refresh();
        const question = this.#question();
        const answer = await inTurns(workOn(question));
        await this.#context.tables.refresh();
        if (!question.isCurrent && attempt < MAX_ATTEMPTS) continue;
        this.#warnOfDamage(question);
        return answer;
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new ProtocolError("store-failing", error.message, {
        hint: "Ask again in some seconds.",
      });
    } finally {
      this.#questions--;
    }
  }

  #question(): Question {
    const { tables, now, problem } = this.#context;
    const isPaused = problem() !== undefined;
    return new Question(tables, Math.floor(now() / 1000), isPaused);
  }

  async #capture(): Promise<void> {
    const { recorder, monotonic } = this.#context;
    const time = monotonic();
    if (time - this.#capturedAt >= CAPTURE_INTERVAL_MS) {
      this.#capturedAt = time;
      this.#captured = recorder.capture();
    }
    await this.#captured;
  }

  #timeZone(name = this.#context.kept.timezone): TimeZone {
    return checkTimeZone(name);
  }

  #warnOfDamage({ damaged }: Question): void {
    if (damaged === undefined) return;
    const [from, to] = damaged[0]!.map((time) => new Date(time).toISOString());
    this.#context.log.warnLimited(
      "history-damaged",
      `A part of the history is damaged, from ${from} to ${to}${
        damaged.length > 1 ? ` and in ${damaged.length - 1} other times` : ""
      }: there, cells are unknown. Check the disk`,
    );
  }
}
