import type { ReadingBatch } from "../protocol/mod.ts";

/**
 * Something that sensors watch. It has a time of its own, which goes on by
 * steps: the same calls give the same readings, whatever the clock of the
 * machine says. Readings have no time; who sends them gives them one.
 */
export interface Scene {
  /** How much of its time a step takes, ms. */
  readonly stepMs: number;
  /** Different cells that it may report. */
  readonly cells: number;
  /** They lie in so many columns, from x = 0. */
  readonly width: number;
  /** And in so many rows, from y = 0. */
  readonly height: number;
  /** Pushes one reading for each sensor: how it is at the beginning. */
  begin(out: ReadingBatch): void;
  /**
   * Goes on by a step and pushes what the sensors report in it, in the order of
   * observation: of two readings of one cell the later one holds.
   */
  step(out: ReadingBatch): void;
}

/** How a scene is made. */
export interface SceneOptions {
  /** Chance begins here; the same seed gives the same readings. int32. Default 1. */
  readonly seed?: number;
  /** How many desks, rooms or robots there are; a scene has its own default. */
  readonly size?: number;
  /** Time of day at the beginning, ms since midnight of a Monday. Default 8:00. */
  readonly start?: number;
  /**
   * Of a campus: how many times as fast as the warehouse its offices live, a
   * whole number; people come and go more slowly than robots. Default 1.
   */
  readonly officePace?: number;
}

/** ms */
export const SECOND = 1000;
/** ms */
export const MINUTE = 60 * SECOND;
/** ms */
export const HOUR = 60 * MINUTE;
/** ms */
export const DAY = 24 * HOUR;

/** When a scene begins unless told otherwise: people are about to come. */
export const DEFAULT_START = 8 * HOUR;

/** True on the days on which people work; day 0 is a Monday. */
export function isWorkday(day: number): boolean {
  return day % 7 < 5;
}
