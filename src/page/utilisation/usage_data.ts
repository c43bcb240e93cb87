/// <reference lib="dom" />
/**
 * Loads the utilisation of a layer: one question at a time, the latest one.
 *
 * @module
 */

import type { HistoryInfo } from "../../history/answers.ts";
import type { Region } from "../../protocol/region.ts";
import { messageOf } from "../../common/errors.ts";
import type { ZoneDefinition } from "../zones/zone_definitions.ts";
import { DayLoader } from "./day_loader.ts";
import { Places } from "./places.ts";
import type { Subject, UsageSettings } from "./settings.ts";
import type { UtilisationAnswer } from "../../history/answers.ts";
import { Usage } from "./usage.ts";
import {
  fetchUtilisation,
  questionByDay,
  questionOf,
  questionOfRegion,
} from "./usage_requests.ts";
import { withoutTimeBefore } from "./week.ts";
import { type UsedZone, zoneUsage } from "./zone_usage.ts";

/** An answer that includes the present is requested again after this, ms. */
const REFRESH_INTERVAL_MS = 300_000;
/** An answer that failed is requested again after this, ms. */
const RETRY_INTERVAL_MS = 15_000;

/** With more cells, the list has the zones at first. */
const MAX_LISTED_CELLS = 2000;

/** Returns what the list shows. */
export function listedOf(
  { usage, zones }: LoadedUsage,
  { list }: UsageSettings,
): Subject {
  if (list !== undefined) return list;
  return usage.length > MAX_LISTED_CELLS && zones.length > 0
    ? "zones"
    : "cells";
}

/** The utilisation of a layer. Never changed, but replaced. */
export interface LoadedUsage {
  readonly usage: Usage;
  readonly zones: readonly UsedZone[];
  readonly places: Places;
  readonly days: DayLoader;
}

/** Callbacks of {@linkcode UsageData}. */
export interface UsageDataEvents {
  /** Called when loading begins, and ends. */
  onBusy(busy: boolean): void;
  onLoad(loaded: LoadedUsage): void;
  /** @param text says what happened and what to do */
  onProblem(text: string): void;
  /** Returns the definitions of the zones of a layer. */
  zonesOf(layer: string): readonly ZoneDefinition[];
  /** The server's clock, ms since 1970. */
  now(): number;
}

/** Loads the utilisation. */
export class UsageData {
  readonly #info: HistoryInfo;
  readonly #events: UsageDataEvents;
  #loaded: LoadedUsage | undefined;
  /** The question that is answered or being asked. */
  #question = new URLSearchParams();
  #abort = new AbortController();
  #partAbort = new AbortController();
  /** When to ask again, as `performance.now()`. */
  #refreshAt = Infinity;

  constructor(info: HistoryInfo, events: UsageDataEvents) {
    this.#info = info;
    this.#events = events;
  }

  /** What is loaded; undefined before the first answer. */
  get loaded(): LoadedUsage | undefined {
    return this.#loaded;
  }

  /** Asks, unless the question is the same. */
  load(layer: string, settings: UsageSettings): void {
    const { now } = this.#events;
    const question = questionOf(layer, settings, this.#info, now());
    if (String(question) !== String(this.#question)) void this.#ask(question);
  }

  /** Forgets what is loaded, as for another layer. */
  clear(): void {
    this.close();
    this.#loaded = undefined;
    this.#question = new URLSearchParams();
  }

  /** Asks again if it is time to. */
  tick(): void {
    if (performance.now() > this.#refreshAt) void this.#ask(this.#question);
  }

  /** Adds up the zones again, after their definitions have changed. */
  updateZones(): void {
    if (this.#loaded) this.#show(this.#loaded.usage, this.#loaded.days);
  }

  /**
   * Asks for a part of the layer.
   *
   * @returns undefined if there is no answer, or it is out of date
   */
  async fetchPart(region: Region): Promise<UtilisationAnswer | undefined> {
    this.#partAbort.abort();
    const abort = this.#partAbort = new AbortController();
    try {
      return await this.#fetch(
        questionOfRegion(this.#question, region),
        abort.signal,
      );
    } catch {
      // The page shows that of the whole layer, and says so.
      return undefined;
    }
  }

  /** Ends all requests. */
  close(): void {
    this.#abort.abort();
    this.#partAbort.abort();
    this.#loaded?.days.close();
    this.#refreshAt = Infinity;
  }

  async #fetch(
    question: URLSearchParams,
    signal: AbortSignal,
  ): Promise<UtilisationAnswer> {
    const answer = await fetchUtilisation(question, signal);
    const { oldestRollup, oldest = -Infinity } = this.#info;
    return withoutTimeBefore(answer, oldestRollup ?? oldest);
  }

  async #ask(question: URLSearchParams): Promise<void> {
    this.close();
    this.#question = question;
    const abort = this.#abort = new AbortController();
    this.#events.onBusy(true);
    try {
      const answer = await this.#fetch(question, abort.signal);
      if (abort.signal.aborted) return;
      const isOpen = question.get("to") === "now";
      this.#refreshAt = isOpen
        ? performance.now() + REFRESH_INTERVAL_MS
        : Infinity;
      const days = new DayLoader((region, signal) =>
        fetchUtilisation(questionByDay(question, region), signal)
      );
      this.#events.onBusy(false);
      this.#show(new Usage(answer), days);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#refreshAt = performance.now() + RETRY_INTERVAL_MS;
      this.#events.onBusy(false);
      this.#events.onProblem(messageOf(error));
    }
  }

  #show(usage: Usage, days: DayLoader): void {
    const zones = zoneUsage(usage, this.#events.zonesOf(usage.answer.layer));
    const places = new Places(usage, zones);
    this.#loaded = { usage, zones, places, days };
    this.#events.onLoad(this.#loaded);
  }
}
