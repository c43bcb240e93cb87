/**
 * Realistic simulated readings: desks and parking bays over a day, meeting rooms,
 * moving robots.
 *
 * Pure: random numbers come from a seed and time passes in steps, so the same
 * options give the same readings, byte for byte.
 *
 * @module
 */
import { Campus } from "./campus.ts";
import { Desks } from "./desks.ts";
import { Parking } from "./parking.ts";
import { Robots } from "./robots.ts";
import { Rooms } from "./rooms.ts";
import type { Scene, SceneOptions } from "./scene.ts";

export { type Area, zonesOf } from "./areas.ts";
export { type Pace, RatePace, SpeedPace, UnlimitedPace } from "./pace.ts";
export { DAY_MS, type Scene, type SceneOptions } from "./scene.ts";
export { SceneReader } from "./scene_reader.ts";

/** The names of all scenes. */
export const SCENES = [
  "desks",
  "rooms",
  "parking",
  "robots",
  "campus",
] as const;

/** The name of a scene. */
export type SceneName = typeof SCENES[number];

/**
 * Makes a scene.
 *
 * @example
 * ```ts
 * import { ReadingBatch } from "../protocol/mod.ts";
 * import { makeScene, SceneReader } from "./mod.ts";
 *
 * const readings = new ReadingBatch();
 * new SceneReader(makeScene("desks", { seed: 7 })).read(1000, readings);
 * console.log(readings.length); // 1000
 * ```
 */
export function makeScene(name: SceneName, options: SceneOptions = {}): Scene {
  switch (name) {
    case "desks":
      return new Desks(options);
    case "rooms":
      return new Rooms(options);
    case "parking":
      return new Parking(options);
    case "robots":
      return new Robots(options);
    case "campus":
      return new Campus(options);
  }
}
