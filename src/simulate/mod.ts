/**
 * Believable readings: desks over a day, rooms with people, robots driving.
 * Pure: chance comes from a seed and time is counted in steps, so the same
 * options give the same readings, byte for byte.
 *
 * @module
 */
import { Campus } from "./campus.ts";
import { Desks } from "./desks.ts";
import { Robots } from "./robots.ts";
import { Rooms } from "./rooms.ts";
import type { Scene, SceneOptions } from "./scene.ts";

export { Feed } from "./feed.ts";
export { FullPace, type Pace, RatePace, SpeedPace } from "./pace.ts";
export { DAY, DEFAULT_START, type Scene, type SceneOptions } from "./scene.ts";

/** What there is to be simulated. */
export const SCENES = ["desks", "rooms", "robots", "campus"] as const;

/** The name of a scene. */
export type SceneName = typeof SCENES[number];

/**
 * Makes a scene.
 *
 * @example
 * ```ts
 * import { ReadingBatch } from "../protocol/mod.ts";
 * import { Feed, makeScene } from "./mod.ts";
 *
 * const readings = new ReadingBatch();
 * new Feed(makeScene("desks", { seed: 7 })).take(1000, readings);
 * console.log(readings.length); // 1000
 * ```
 */
export function makeScene(name: SceneName, options: SceneOptions = {}): Scene {
  switch (name) {
    case "desks":
      return new Desks(options);
    case "rooms":
      return new Rooms(options);
    case "robots":
      return new Robots(options);
    case "campus":
      return new Campus(options);
  }
}
