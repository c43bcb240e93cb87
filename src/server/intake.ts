import type { OccupancyMap } from "../grid/mod.ts";
import type { Incoming } from "../mqtt/link.ts";
import {
  parseReadings,
  ProtocolError,
  ReadingBatch,
  type Refusals,
  type Topics,
} from "../protocol/mod.ts";
import type { Entry } from "../store/store.ts";
import { type Complaint, complaintsOf } from "./reports.ts";

/** Dates readings that do not say when they were observed. */
export interface Dating {
  /** True if when a reading is received does not tell when it was observed. */
  readonly uncertain: boolean;
  /** Told of the times of readings that have one, ms since 1970, while it is uncertain. */
  observed(time: number, now: number): void;
  /** The time of a reading without one that is received `now`, ms since 1970. */
  dateOf(layer: string, x: number, y: number, now: number): number;
}

/** Says whether a layer that has no cells yet may have some. */
export interface LayerLimit {
  /** Layers in all. */
  readonly maxLayers: number;
  readonly map: Pick<OccupancyMap, "layer" | "layerCount">;
}

/** Batches kept for the next group; more layers than this are rare in one. */
const MAX_SPARE = 64;

/**
 * Turns the messages of one commit group into columns of readings, a batch for
 * each layer.
 */
export class Intake {
  readonly #topics: Topics;
  readonly #complain: (complaint: Complaint) => void;
  readonly #dating: Dating | undefined;
  readonly #limit: LayerLimit | undefined;
  /** Layers of this group that the map does not have yet. */
  readonly #newLayers = new Set<string>();
  readonly #batches = new Map<string, ReadingBatch>();
  readonly #spare: ReadingBatch[] = [];

  /**
   * @param dating without it, what does not say so was observed when received
   * @param limit without it, there may be any number of layers
   */
  constructor(
    topics: Topics,
    complain: (complaint: Complaint) => void,
    dating?: Dating,
    limit?: LayerLimit,
  ) {
    this.#topics = topics;
    this.#complain = complain;
    this.#dating = dating;
    this.#limit = limit;
  }

  /** Adds what one message says; complains of what cannot be used. */
  add(message: Incoming, now: number): void {
    const { topic } = message;
    const layer = this.#topics.layerOf(topic);
    if (layer === undefined) {
      this.#complain({
        topic,
        code: "bad-layer",
        message: "The topic names no valid layer",
        count: 1,
      });
      return;
    }
    try {
      const refusals = message.retain
        ? this.#addRetained(message, layer)
        : this.#addLive(message, layer, now);
      if (refusals.total > 0) {
        complaintsOf(refusals, topic).forEach(this.#complain);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { code, message } = error;
      this.#complain({ topic, code, message, count: 1 });
    }
  }

  /**
   * Makes sure that a layer may have readings of this group.
   *
   * @throws {ProtocolError} if it would be a new layer, and there are enough
   */
  reserve(layer: string): void {
    if (this.#limit === undefined) return;
    const { map, maxLayers } = this.#limit;
    const isNew = map.layer(layer) === undefined && !this.#newLayers.has(layer);
    if (!isNew) return;
    if (map.layerCount + this.#newLayers.size >= maxLayers) {
      throw new ProtocolError(
        "too-many-layers",
        `There are ${maxLayers} layers already, and this would be a new one`,
      );
    }
    this.#newLayers.add(layer);
  }

  /** What was added since the last {@linkcode clear}, for the store and the map. */
  entries(now: number): Entry[] {
    const entries: Entry[] = [];
    for (const [layer, readings] of this.#batches) {
      if (readings.length > 0) {
        entries.push({ kind: "apply", layer, readings, now });
      }
    }
    return entries;
  }

  /** Forgets what was added. The entries given out are no longer valid. */
  clear(): void {
    for (const batch of this.#batches.values()) {
      batch.clear();
      if (this.#spare.length < MAX_SPARE) this.#spare.push(batch);
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

  /** A reading without a time was observed when it was received. */
  #addLive(message: Incoming, layer: string, now: number): Refusals {
    const batch = this.#batchOf(layer);
    const start = batch.length;
    const refusals = parseReadings(message.payload, batch, {
      contentType: message.contentType,
    });
    const { x, y, time, length } = batch;
    const dating = this.#dating?.uncertain ? this.#dating : undefined;
    for (let i = start; i < length; i++) {
      if (!Number.isNaN(time[i])) dating?.observed(time[i]!, now);
      else time[i] = dating?.dateOf(layer, x[i]!, y[i]!, now) ?? now;
    }
    return refusals;
  }

  /** The broker kept it for a time nobody knows: without a time of its own it is refused. */
  #addRetained(message: Incoming, layer: string): Refusals {
    const kept = new ReadingBatch();
    const refusals = parseReadings(message.payload, kept, {
      contentType: message.contentType,
    });
    const batch = this.#batchOf(layer);
    for (let i = 0; i < kept.length; i++) {
      if (Number.isNaN(kept.time[i])) refusals.add("retained", undated, i + 1);
      else batch.push(kept.x[i]!, kept.y[i]!, kept.value[i]!, kept.time[i]);
    }
    return refusals;
  }
}

function undated(): string {
  return "a retained reading without a time may be of any age: publish it without retain, or with a time";
}
