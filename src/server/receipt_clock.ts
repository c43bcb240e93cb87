/**
 * The clock of a server, and the dates of readings without a time.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";

/** Smaller steps are drift; larger ones mean that the system clock was set. */
const CLOCK_STEP_THRESHOLD_MS = 5000;
/**
 * A longer time without a sign of life means that the process stood still. The
 * server gives one each second, and with each group of messages.
 */
const STALL_THRESHOLD_MS = 3000;

/** Options of {@linkcode ReceiptClock}. */
export interface ReceiptClockOptions {
  /** The clock of the machine, ms since 1970. */
  readonly clock: () => number;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
  /** The connections to brokers. Default: one. */
  readonly connections?: readonly object[];
  /**
   * True if other servers get a part of the readings: the order of arrival is
   * not certain then. Default false.
   */
  readonly isGroup?: boolean;
}

/** What a broker may have stored for this server. */
interface BrokerQueue {
  /**
   * The earliest possible time of readings that waited in the broker; undefined
   * if none can have waited.
   */
  earliest: number | undefined;
  /** By topic: the latest time of a reading in the queue of the broker. */
  readonly observed: Map<string, number>;
}

/** Stands for the connection of a server that has one. */
const ONLY_CONNECTION = {};

/**
 * The clock of a server. It also dates readings: it sets the time of those that
 * have none.
 *
 * Usually this is the time of receipt. In two cases it is the earliest possible
 * time, but not earlier than the time of the present cell, because the order of
 * arrival is certain:
 *
 * - The reading may have waited in the broker during a disconnection, or in a
 *   socket while this process stood still. Then it was observed after its
 *   start. In the queue of the broker it was also observed after the readings
 *   with a time before it. Messages at QoS 0 overtake the queue, and MQTT
 *   orders only messages of one topic (MQTT 5, 4.6), so only earlier readings
 *   at QoS 1 of the same topic count.
 * - The system clock was set back. The present cell may have a later time than
 *   now, and would win over the reading.
 */
export class ReceiptClock {
  readonly #map: OccupancyMap;
  readonly #clock: () => number;
  readonly #monotonic: () => number;
  readonly #isGroup: boolean;
  /** The latest time that the clock or a cell has had. */
  #latest = -Infinity;
  readonly #queues = new Map<object, BrokerQueue>();
  /**
   * The earliest possible time of readings that waited in a socket; undefined
   * if none can have waited.
   */
  #stalledSince: number | undefined;
  /** The last sign of life: by `clock`, and by `monotonic`. */
  #alive: number;
  #aliveMonotonic: number;
  /** `clock` minus `monotonic` at the last check, in ms. */
  #offset: number;

  /** @param map the map whose cells the readings replace */
  constructor(
    map: OccupancyMap,
    {
      clock,
      monotonic = () => performance.now(),
      connections = [ONLY_CONNECTION],
      isGroup = false,
    }: ReceiptClockOptions,
  ) {
    this.#isGroup = isGroup;
    for (const connection of connections) this.#queueOf(connection);
    this.#map = map;
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#alive = clock();
    this.#aliveMonotonic = monotonic();
    this.#offset = this.#alive - this.#aliveMonotonic;
  }

  /** Returns the time, ms since 1970. */
  now(): number {
    const now = this.#clock();
    if (now > this.#latest) this.#latest = now;
    return now;
  }

  /**
   * Returns true if the time of receipt may be wrong for readings without a
   * time.
   *
   * @param connection the one that they arrived on
   */
  isUncertain(connection?: object): boolean {
    return this.#queueOf(connection).earliest !== undefined ||
      this.now() < this.#latest;
  }

  /**
   * Call about once a second, and before readings are dated.
   *
   * @returns the last sign of life, ms since 1970, if the process has stood
   * still since then; else undefined
   */
  checkStall(): number | undefined {
    const before = this.#alive;
    const monotonic = this.#monotonic();
    const elapsed = monotonic - this.#aliveMonotonic;
    this.#alive = this.now();
    this.#aliveMonotonic = monotonic;
    return elapsed >= STALL_THRESHOLD_MS ? before : undefined;
  }

  /**
   * Returns when the process was certainly alive, ms since 1970: usually now.
   * Earlier if it has stood still or the machine was suspended, which looks
   * like a clock that was set forward.
   */
  lastAlive(): number {
    const now = this.now();
    return now - this.#alive >= STALL_THRESHOLD_MS ? this.#alive : now;
  }

  /**
   * Call at a disconnection: later readings may have waited in the broker.
   *
   * @param time when the server was certainly connected, ms since 1970
   * @param connection the one that was lost
   */
  markDisconnected(time: number, connection?: object): void {
    this.#queueOf(connection).earliest ??= time;
  }

  /**
   * Call if the process has stood still: later readings may have waited in a
   * socket or in the broker.
   *
   * @param time when it was certainly alive, ms since 1970
   */
  markStalled(time: number): void {
    for (const queue of this.#queues.values()) queue.earliest ??= time;
    this.#stalledSince ??= time;
  }

  /** Call when all that waited in sockets has been received. */
  markSocketsRead(): void {
    this.#stalledSince = undefined;
  }

  /** Call when all readings that waited in a broker have been received. */
  markCaughtUp(connection?: object): void {
    const queue = this.#queueOf(connection);
    queue.earliest = undefined;
    queue.observed.clear();
  }

  /** Call when a connection has ended and is not used again. */
  forget(connection: object): void {
    this.#queues.delete(connection);
  }

  /**
   * Call for each reading with a time that arrives at QoS 1: those after it in
   * the queue of its topic were observed after it.
   */
  noteObserved(
    topic: string,
    time: number,
    now: number,
    connection?: object,
  ): void {
    const { earliest, observed } = this.#queueOf(connection);
    if (earliest === undefined || time > now) return;
    const before = observed.get(topic);
    if (before === undefined || time > before) observed.set(topic, time);
  }

  /**
   * Dates a reading that the broker delivered without a time.
   *
   * @param queue the topic of the message if it arrived at QoS 1; undefined at
   * QoS 0, which has no order
   * @param now when it was received, ms since 1970
   * @param connection the one that it arrived on
   * @returns its time, ms since 1970
   */
  dateReading(
    layer: string,
    x: number,
    y: number,
    queue: string | undefined,
    now: number,
    connection?: object,
  ): number {
    const waiting = this.#queueOf(connection);
    let earliest = waiting.earliest ?? now;
    const observed = queue === undefined
      ? undefined
      : waiting.observed.get(queue);
    if (observed !== undefined && observed > earliest) earliest = observed;
    // While this process stood still, another server has perhaps handled this
    // reading already, and later ones.
    if (this.#isGroup && this.#stalledSince !== undefined) {
      return Math.min(earliest, now);
    }
    return this.#notBefore(layer, x, y, now, Math.min(earliest, now));
  }

  /**
   * Like {@linkcode dateReading}, for a reading that cannot have waited in the
   * broker.
   */
  dateSubmitted(layer: string, x: number, y: number, now: number): number {
    const earliest = Math.min(this.#stalledSince ?? now, now);
    if (earliest === now && now >= this.#latest) return now;
    return this.#notBefore(layer, x, y, now, earliest);
  }

  /**
   * Limits the time of a reading to that of its receipt: nothing is observed
   * after it was received. A later time is of a clock that is fast, and would
   * refuse the readings of others for as long. Times beyond the skew stay as
   * they are: the map refuses them.
   *
   * @param time ms since 1970
   * @param received when the reading was received, ms since 1970
   * @param now the present time, ms since 1970
   */
  limitTime(
    layer: string,
    x: number,
    y: number,
    time: number,
    received: number,
    now: number,
  ): number {
    if (!(time > received && time <= this.#latestTime(layer, now))) {
      return time;
    }
    // If the clock was set back, the cell may be as far ahead as the reading.
    const latest = received < this.#latest
      ? this.#notBefore(layer, x, y, received, received)
      : received;
    return time < latest ? time : latest;
  }

  #queueOf(connection: object = ONLY_CONNECTION): BrokerQueue {
    let queue = this.#queues.get(connection);
    if (queue === undefined) {
      queue = { earliest: undefined, observed: new Map() };
      this.#queues.set(connection, queue);
    }
    return queue;
  }

  /** Returns the time of the cell if it is later, else `earliest`. */
  #notBefore(
    layer: string,
    x: number,
    y: number,
    now: number,
    earliest: number,
  ): number {
    const present = this.#map.layer(layer)?.get(x, y)?.time ?? earliest;
    // A time beyond the skew never wins, see Grid.write().
    const isValid = present <= this.#latestTime(layer, now);
    return present > earliest && isValid ? present : earliest;
  }

  /** Returns the latest time that the layer accepts. */
  #latestTime(layer: string, now: number): number {
    return now + this.#map.ageingOf(layer).maxSkew;
  }

  /**
   * Call when the map is loaded: the clock may have been set back since it was
   * stored.
   */
  mapLoaded(): void {
    for (const [, grid] of this.#map.layers()) {
      if (grid.latest > this.#latest) this.#latest = grid.latest;
    }
    this.checkStall(); // loading is no stall
  }

  /**
   * Checks whether the system clock was set since the last check.
   *
   * @returns the step in ms, below 0 if set back; undefined if it was not set
   */
  checkStep(): number | undefined {
    const offset = this.#clock() - this.#monotonic();
    const step = offset - this.#offset;
    this.#offset = offset;
    return Math.abs(step) >= CLOCK_STEP_THRESHOLD_MS ? step : undefined;
  }
}

/**
 * Describes a step of the system clock for people.
 *
 * @param ms below 0 if the clock was set back
 */
export function describeStep(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  return ms > 0
    ? `The system clock was set forward by ${seconds} s: all cells look ${seconds} s older`
    : `The system clock was set back by ${seconds} s: cells count as just observed until it reaches their times`;
}
