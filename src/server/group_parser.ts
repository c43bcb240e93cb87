/**
 * Parses the messages of a group into readings.
 *
 * @module
 */
import type { Incoming, IncomingRun } from "../mqtt/link.ts";
import { mayBePlain, parsePlainPayload } from "../protocol/plain_payload.ts";
import {
  DEFAULT_LAYER,
  parseReadings,
  parseReadingsInSlices,
  type ParseReadingsOptions,
  ProtocolError,
  ReadingBatch,
  type Refusals,
} from "../protocol/mod.ts";
import { messageOf } from "./arrival.ts";
import type { LimitedReadings } from "./cell_limiter.ts";
import type { ServerContext } from "./context.ts";
import {
  type Dropped,
  type DroppedReading,
  LayerReadings,
} from "./layer_readings.ts";
import {
  addDropped,
  addRefused,
  refusedInputs,
  refusedPayload,
  type Reports,
  TOO_MANY_CELLS,
} from "./reports.ts";

/** Batches kept for the next group; few groups have more layers. */
const MAX_SPARE_BATCHES = 64;
/** Messages of a run that are not plain rows, after which there is a pause. */
export const RUN_SLICE_MESSAGES = 64;

/** Where the readings of a message are added. */
interface Target {
  readonly layer: string;
  readonly readings: LayerReadings;
  /** The number of readings of the messages before. */
  readonly start: number;
  /** Of a retained message: its own, because readings are refused later. */
  readonly batch: ReadingBatch;
  readonly options: ParseReadingsOptions;
}

/** Collects the readings of a group in columns, one batch for each layer. */
export class GroupParser {
  readonly #context: ServerContext;
  readonly #reports: Pick<Reports, "addReadings">;
  readonly #layers = new Map<string, LayerReadings>();
  /** Layers of this group that the map does not have yet. */
  readonly #newLayers = new Set<string>();
  readonly #spare: LayerReadings[] = [];
  /** The readings that the map or a limit dropped, by message, in order. */
  readonly #dropped: Dropped[] = [];

  constructor(context: ServerContext, reports: Pick<Reports, "addReadings">) {
    this.#context = context;
    this.#reports = reports;
  }

  /**
   * Adds the readings of a message, and reports invalid ones.
   *
   * @param received when it was received, ms since 1970
   * @param now the present time, ms since 1970
   */
  add(message: Incoming, received: number, now: number): void {
    try {
      const target = this.#targetOf(message);
      if (target === undefined) return;
      const { batch, options } = target;
      const refusals = parseReadings(message.payload, batch, options);
      this.#addParsed(message, target, refusals, received, now);
    } catch (error) {
      this.#reportInvalid(message.topic, error);
    }
  }

  /** As {@linkcode GroupParser.add}, with pauses, for a large payload. */
  *addInSlices(
    message: Incoming,
    received: number,
    now: number,
  ): Generator<void, void, void> {
    try {
      const target = this.#targetOf(message);
      if (target === undefined) return;
      const { batch, options } = target;
      const work = parseReadingsInSlices(message.payload, batch, options);
      this.#addParsed(message, target, yield* work, received, now);
    } catch (error) {
      this.#reportInvalid(message.topic, error);
    }
  }

  /**
   * Adds the readings of some messages of a run, as {@linkcode GroupParser.add}
   * does for each.
   *
   * @param from index of the first message
   * @param to index after the last message
   * @returns the index of the next message: less than `to` after some that are
   * not plain rows, which take longer
   */
  addRun(
    run: IncomingRun,
    from: number,
    to: number,
    received: number,
    now: number,
  ): number {
    const layer = !run.retain && mayBePlain(run.contentType)
      ? this.#context.topics.layerOf(run.topic)
      : undefined;
    let others = 0;
    for (let i = from; i < to; i++) {
      const readings = layer === undefined
        ? undefined
        : this.#layers.get(layer);
      if (readings !== undefined) {
        i = this.#addPlain(run, i, to, readings, received, now);
      }
      if (i >= to) break;
      this.add(messageOf(run, i), received, now);
      if (++others === RUN_SLICE_MESSAGES) return i + 1;
    }
    return to;
  }

  /** Adds a reading of an entry that the map dropped. */
  addDropped(layer: string, index: number, code: "late" | "future"): void {
    const readings = this.#layers.get(layer);
    if (readings === undefined) return;
    const { refusals, start } = this.#drop(readings, index);
    addDropped(refusals, readings.batch, index, start, code);
  }

  /** The readings of each layer, valid until {@linkcode GroupParser.clear}. */
  *batches(): Generator<readonly [layer: string, batch: ReadingBatch]> {
    for (const [layer, { batch }] of this.#layers) yield [layer, batch];
  }

  /** Returns the added readings, for {@linkcode CellLimiter.limit}. */
  limited(): LimitedReadings[] {
    return [...this.#layers].map(([layer, readings]) => {
      const { batch, starts } = readings;
      const onRefused = (index: number, reason: string) => {
        const { refusals, start } = this.#drop(readings, index);
        addRefused(refusals, batch, index, start, TOO_MANY_CELLS, reason);
      };
      return { layer, batch, starts, onRefused };
    });
  }

  /** Reports the readings that the map or a limit dropped. */
  reportDropped(): void {
    for (const { topic, refusals } of this.#dropped) {
      this.#report(refusals, topic);
    }
    this.#dropped.length = 0;
  }

  /**
   * Reserves a layer for this group: a new one counts against the limit,
   * except the default layer, which is always possible.
   *
   * @throws {ProtocolError} "too-many-layers" if the limit is reached
   */
  reserve(layer: string): void {
    const { map, maxLayers } = this.#context;
    if (map.layer(layer) !== undefined || this.#newLayers.has(layer)) return;
    if (layer === DEFAULT_LAYER) return;
    const others = map.layerCount + this.#newLayers.size -
      Number(map.layer(DEFAULT_LAYER) !== undefined);
    if (others >= maxLayers) {
      throw new ProtocolError(
        "too-many-layers",
        `there are ${maxLayers} layers already, and this would be a new one`,
        {
          hint:
            "Delete unused layers with occupancy layers delete, raise --max-layers, or wait until the server removes layers (--remove-after).",
        },
      );
    }
    this.#newLayers.add(layer);
  }

  /** Removes all readings. Call when the group is complete. */
  clear(): void {
    for (const readings of this.#layers.values()) {
      readings.clear();
      if (this.#spare.length < MAX_SPARE_BATCHES) this.#spare.push(readings);
    }
    this.#layers.clear();
    this.#newLayers.clear();
  }

  /**
   * Returns undefined for a message without readings or without a valid layer.
   *
   * @throws {ProtocolError} if its readings are refused
   */
  #targetOf(message: Incoming): Target | undefined {
    const layer = this.#layerOf(message);
    if (layer === undefined) return undefined;
    const { payload, contentType, retain } = message;
    this.#checkSize(payload);
    const readings = this.#readingsOf(layer);
    return {
      layer,
      readings,
      start: readings.batch.length,
      batch: retain ? new ReadingBatch() : readings.batch,
      options: { contentType, layer },
    };
  }

  /** Dates the readings of a message that was parsed. */
  #addParsed(
    message: Incoming,
    { layer, readings, start, batch }: Target,
    refusals: Refusals,
    received: number,
    now: number,
  ): void {
    if (message.retain) {
      this.#addRetained(message, layer, batch, refusals, received, now);
    } else {
      if (readings.batch.length > start) {
        readings.addMessage(message.topic, start);
      }
      this.#date(readings.batch, start, message, received, now);
    }
    this.#report(refusals, message.topic);
  }

  /** Returns undefined, and reports it, if a message has no valid layer. */
  #layerOf({ topic, payload }: Incoming): string | undefined {
    // A message that clears a retained one has an empty payload (MQTT 5,
    // 3.3.1.3).
    if (payload.length === 0) return undefined;
    const layer = this.#context.topics.layerOf(topic);
    if (layer === undefined) {
      const message = "the topic names no valid layer";
      const refused = { code: "bad-layer", message };
      this.#reports.addReadings(refusedPayload(topic, refused));
    }
    return layer;
  }

  /** @throws {ProtocolError} "too-large" */
  #checkSize({ length }: Uint8Array): void {
    const { maxPayload } = this.#context;
    if (length <= maxPayload) return;
    throw new ProtocolError(
      "too-large",
      `the message has ${length} bytes, more than ${maxPayload}: send the readings in several`,
    );
  }

  /** Reports a payload that is not valid as a whole. Throws other errors. */
  #reportInvalid(topic: string, error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#reports.addReadings(refusedPayload(topic, error, error.source));
  }

  #drop(readings: LayerReadings, index: number): DroppedReading {
    return readings.drop(index, (dropped) => this.#dropped.push(dropped));
  }

  #report(refusals: Refusals, topic: string): void {
    if (refusals.total === 0) return;
    for (const refused of refusedInputs(refusals, topic)) {
      this.#reports.addReadings(refused);
    }
  }

  #readingsOf(layer: string): LayerReadings {
    let readings = this.#layers.get(layer);
    if (readings === undefined) {
      this.reserve(layer);
      readings = this.#spare.pop() ?? new LayerReadings();
      this.#layers.set(layer, readings);
    }
    return readings;
  }

  /**
   * Adds messages of a run up to one that is not plain.
   *
   * @returns its index, or `to`
   */
  #addPlain(
    run: IncomingRun,
    from: number,
    to: number,
    readings: LayerReadings,
    received: number,
    now: number,
  ): number {
    const { topic, bytes, starts, ends } = run;
    const { batch } = readings;
    const { maxPayload } = this.#context;
    const first = batch.length;
    let i = from;
    for (; i < to; i++) {
      const { length } = batch;
      const start = starts[i]!;
      const end = ends[i]!;
      if (end - start > maxPayload) break;
      if (!parsePlainPayload(bytes, start, end, batch)) break;
      readings.addMessage(topic, length);
    }
    this.#date(batch, first, run, received, now);
    return i;
  }

  /** Dates readings of new messages to a topic. */
  #date(
    batch: ReadingBatch,
    first: number,
    { topic, qos, link, session }: Pick<
      Incoming,
      "topic" | "qos" | "link" | "session"
    >,
    received: number,
    now: number,
  ): void {
    const { x, y, time, length } = batch;
    const { clock, topics } = this.#context;
    const connection = session ?? link ?? this.#context.link;
    const isUncertain = clock.isUncertain(connection);
    const layer = topics.layerOf(topic)!;
    const queue = qos === 0 ? undefined : topic;
    for (let i = first; i < length; i++) {
      const ms = time[i]!;
      if (Number.isNaN(ms)) {
        time[i] = isUncertain
          ? clock.dateReading(
            layer,
            x[i]!,
            y[i]!,
            queue,
            received,
            connection,
          )
          : received;
      } else if (ms > received) {
        time[i] = clock.limitTime(layer, x[i]!, y[i]!, ms, received, now);
      } else if (isUncertain && queue !== undefined) {
        clock.noteObserved(queue, ms, received, connection);
      }
    }
  }

  /** Refuses readings without a time: a retained message may be of any age. */
  #addRetained(
    message: Incoming,
    layer: string,
    retained: ReadingBatch,
    refusals: Refusals,
    received: number,
    now: number,
  ): void {
    const readings = this.#readingsOf(layer);
    const { batch } = readings;
    const { clock } = this.#context;
    const start = batch.length;
    batch.startPayload();
    const { x, y, value, time, sources, sourceIndex, length } = retained;
    for (let i = 0; i < length; i++) {
      const line = retained.lineOf(i, 0)!;
      const source = sources[sourceIndex[i]!]!;
      const ms = time[i]!;
      if (Number.isNaN(ms)) {
        refusals.add("retained", undated, line, source);
        continue;
      }
      const limited = clock.limitTime(layer, x[i]!, y[i]!, ms, received, now);
      batch.markLine(line);
      batch.push(x[i]!, y[i]!, value[i]!, limited, batch.source(source));
    }
    if (batch.length > start) readings.addMessage(message.topic, start);
  }
}

function undated(): string {
  return "a retained reading without a time may be of any age: publish it without retain, or with a time";
}
