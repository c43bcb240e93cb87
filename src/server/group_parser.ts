/**
 * Parses the messages of a group into readings.
 *
 * @module
 */
import type { Incoming } from "../mqtt/link.ts";
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  type Refusals,
} from "../protocol/mod.ts";
import type { Entry } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import { refusedInputs, type Reports } from "./reports.ts";

/** Batches kept for the next group; few groups have more layers. */
const MAX_SPARE_BATCHES = 64;

/** Collects the readings of a group in columns, one batch for each layer. */
export class GroupParser {
  readonly #context: ServerContext;
  readonly #reports: Pick<Reports, "add">;
  readonly #batches = new Map<string, ReadingBatch>();
  /** Layers of this group that the map does not have yet. */
  readonly #newLayers = new Set<string>();
  readonly #spare: ReadingBatch[] = [];

  constructor(context: ServerContext, reports: Pick<Reports, "add">) {
    this.#context = context;
    this.#reports = reports;
  }

  /**
   * Adds the readings of a message, and reports invalid ones.
   *
   * @param now when it was received, ms since 1970
   */
  add(message: Incoming, now: number): void {
    const { topic } = message;
    const layer = this.#context.topics.layerOf(topic);
    if (layer === undefined) {
      this.#reports.add({
        topic,
        code: "bad-layer",
        message: "the topic names no valid layer",
        count: 1,
      });
      return;
    }
    try {
      const refusals = message.retain
        ? this.#addRetained(message, layer)
        : this.#addLive(message, layer, now);
      if (refusals.total === 0) return;
      for (const refused of refusedInputs(refusals, topic)) {
        this.#reports.add(refused);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      this.#reports.add({ topic, code, message, count: 1 });
    }
  }

  /**
   * Reserves a layer for this group: a new one counts against the limit.
   *
   * @throws {ProtocolError} "too-many-layers" if the limit is reached
   */
  reserve(layer: string): void {
    const { map, maxLayers } = this.#context;
    if (map.layer(layer) !== undefined || this.#newLayers.has(layer)) return;
    if (map.layerCount + this.#newLayers.size >= maxLayers) {
      throw new ProtocolError(
        "too-many-layers",
        `there are ${maxLayers} layers already, and this would be a new one`,
      );
    }
    this.#newLayers.add(layer);
  }

  /** Returns the added readings as entries, valid until {@linkcode clear}. */
  entries(now: number): Entry[] {
    const entries: Entry[] = [];
    for (const [layer, readings] of this.#batches) {
      if (readings.length > 0) {
        entries.push({ kind: "apply", layer, readings, now });
      }
    }
    return entries;
  }

  /** Removes all readings. Call when the group is complete. */
  clear(): void {
    for (const batch of this.#batches.values()) {
      batch.clear();
      if (this.#spare.length < MAX_SPARE_BATCHES) this.#spare.push(batch);
    }
    this.#batches.clear();
    this.#newLayers.clear();
  }

  #batchOf(layer: string): ReadingBatch {
    let batch = this.#batches.get(layer);
    if (batch === undefined) {
      this.reserve(layer);
      batch = this.#spare.pop() ?? new ReadingBatch();
      this.#batches.set(layer, batch);
    }
    return batch;
  }

  /** Adds the readings of a new message, and dates those without a time. */
  #addLive(message: Incoming, layer: string, now: number): Refusals {
    const batch = this.#batchOf(layer);
    const start = batch.length;
    const refusals = parseReadings(message.payload, batch, {
      contentType: message.contentType,
    });
    const { x, y, time, length } = batch;
    const { clock } = this.#context;
    const isUncertain = clock.isUncertain;
    for (let i = start; i < length; i++) {
      if (Number.isNaN(time[i])) {
        time[i] = isUncertain
          ? clock.dateReading(layer, x[i]!, y[i]!, now)
          : now;
      } else if (isUncertain) clock.noteObserved(time[i]!, now);
    }
    return refusals;
  }

  /** Refuses readings without a time: a retained message may be of any age. */
  #addRetained(message: Incoming, layer: string): Refusals {
    const retained = new ReadingBatch();
    const refusals = parseReadings(message.payload, retained, {
      contentType: message.contentType,
    });
    const batch = this.#batchOf(layer);
    const { x, y, value, time, length } = retained;
    for (let i = 0; i < length; i++) {
      if (Number.isNaN(time[i])) refusals.add("retained", undated, i + 1);
      else batch.push(x[i]!, y[i]!, value[i]!, time[i]);
    }
    return refusals;
  }
}

function undated(): string {
  return "a retained reading without a time may be of any age: publish it without retain, or with a time";
}
