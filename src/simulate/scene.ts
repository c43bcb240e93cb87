/**
 * The interface of a simulated scene, and what the scenes share.
 *
 * @module
 */
import type { ReadingBatch } from "../protocol/mod.ts";
import type { Area } from "./areas.ts";

/**
 * A place with simulated sensors. Its time passes in steps, independently of
 * the clock: the same calls give the same readings. The readings have no time;
 * the sender sets it.
 */
export interface Scene {
  /** Duration of a step in simulated time, in ms. */
  readonly stepMs: number;
  /** Number of different cells that the sensors may report. */
  readonly cells: number;
  /** Number of columns: x is from 0 to `width` - 1. */
  readonly width: number;
  /** Number of rows: y is from 0 to `height` - 1. */
  readonly height: number;
  /**
   * Returns the named areas, such as rooms. They may overlap; all have cells
   * that the sensors report.
   */
  areas(): Area[];
  /** Appends the first reading of each sensor, before the first step. */
  begin(out: ReadingBatch): void;
  /**
   * Simulates one step and appends its readings in the order of observation: of
   * two readings of a cell, the later one is valid.
   */
  step(out: ReadingBatch): void;
}

/** Options of a scene. */
export interface SceneOptions {
  /** Random seed (int32). The same seed gives the same readings. Default 1. */
  readonly seed?: number;
  /** Number of desks, rooms, bays or robots. Each scene has its own default. */
  readonly size?: number;
  /** Simulated start, in ms since midnight of a Monday. Default 8:00. */
  readonly start?: number;
  /**
   * How many times faster time passes in the offices of a campus than in its
   * warehouse: people move less often than robots. Integer above 0, default 1.
   */
  readonly officeSpeed?: number;
}

// Durations, in ms.
export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The default start of a scene: most people arrive soon after 8:00. */
export const DEFAULT_START_MS = 8 * HOUR_MS;

/**
 * Returns true from Monday to Friday.
 *
 * @param day days since a Monday
 */
export function isWorkday(day: number): boolean {
  return day % 7 < 5;
}

/**
 * Distributes the reports of sensors over the steps of a period: each sensor
 * reports once a period, as in a real network, and a step stays cheap.
 */
export class RoundRobin {
  readonly #sensors: number;
  readonly #steps: number;
  #step = 0;

  /**
   * @param sensors number of sensors
   * @param steps number of steps in a period
   */
  constructor(sensors: number, steps: number) {
    this.#sensors = sensors;
    this.#steps = steps;
  }

  /** Calls `report` for each sensor of the next step. */
  next(report: (sensor: number) => void): void {
    for (let i = this.#step; i < this.#sensors; i += this.#steps) report(i);
    this.#step = (this.#step + 1) % this.#steps;
  }
}

/** A scene whose cells have one sensor each. The sensors report in turn. */
export abstract class SensorScene implements Scene {
  readonly stepMs = SECOND_MS;
  readonly cells: number;
  abstract readonly width: number;
  abstract readonly height: number;
  protected readonly seed: number;
  readonly #sensors: RoundRobin;
  #now: number;

  /**
   * @param defaultSize the number of sensors without `options.size`
   * @param reportSteps each sensor reports once in this number of steps
   */
  constructor(
    { seed = 1, size, start = DEFAULT_START_MS }: SceneOptions,
    defaultSize: number,
    reportSteps: number,
  ) {
    this.cells = size ?? defaultSize;
    this.seed = seed;
    this.#now = start;
    this.#sensors = new RoundRobin(this.cells, reportSteps);
  }

  abstract areas(): Area[];

  begin(out: ReadingBatch): void {
    for (let sensor = 0; sensor < this.cells; sensor++) {
      this.report(sensor, out);
    }
  }

  step(out: ReadingBatch): void {
    this.#now += this.stepMs;
    this.#sensors.next((sensor) => this.report(sensor, out));
  }

  /** Appends the reading of a sensor. */
  protected abstract report(sensor: number, out: ReadingBatch): void;

  /** The day, since a Monday, and the seconds since its midnight. */
  protected get time(): { readonly day: number; readonly second: number } {
    const day = Math.floor(this.#now / DAY_MS);
    return { day, second: (this.#now - day * DAY_MS) / SECOND_MS };
  }
}
