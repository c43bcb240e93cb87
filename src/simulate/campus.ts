/**
 * Simulates a campus: the other scenes on one map.
 *
 * @module
 */
import { ReadingBatch } from "../protocol/mod.ts";
import type { Area } from "./areas.ts";
import { Desks } from "./desks.ts";
import { Robots } from "./robots.ts";
import { Rooms } from "./rooms.ts";
import { DEFAULT_START_MS, type Scene, type SceneOptions } from "./scene.ts";

const DEFAULT_DESKS = 240;
const ROOMS_PER_DESK = 0.2;
const ROBOTS_PER_DESK = 0.08;
/** Columns or rows between two parts of the campus. */
const GAP_CELLS = 3;

/** A part of the campus and its position. */
interface Part {
  readonly scene: Scene;
  readonly x: number;
  readonly y: number;
  /** The part is stepped in every n-th step of the campus. */
  readonly period: number;
  /** The number of its steps then. */
  readonly steps: number;
}

/**
 * An office, meeting rooms below it, and a warehouse to the right of both, on
 * one map. `size` is the number of desks; the other sizes follow from it.
 */
export class Campus implements Scene {
  readonly stepMs: number;
  readonly cells: number;
  readonly width: number;
  readonly height: number;
  readonly #parts: readonly Part[];
  readonly #batch = new ReadingBatch();
  #steps = 0;

  constructor(options: SceneOptions = {}) {
    const {
      seed = 1,
      size = DEFAULT_DESKS,
      start = DEFAULT_START_MS,
      officeSpeed = 1,
    } = options;
    const sizeOf = (perDesk: number) => Math.max(1, Math.round(size * perDesk));
    const desks = new Desks({ seed, start, size });
    const rooms = new Rooms({ seed, start, size: sizeOf(ROOMS_PER_DESK) });
    const robots = new Robots({ seed, size: sizeOf(ROBOTS_PER_DESK) });
    this.stepMs = robots.stepMs;
    this.#parts = [
      this.#part(desks, 0, 0, officeSpeed),
      this.#part(rooms, 0, desks.height + GAP_CELLS, officeSpeed),
      this.#part(robots, Math.max(desks.width, rooms.width) + GAP_CELLS, 0),
    ];
    this.width = Math.max(...this.#parts.map((p) => p.x + p.scene.width));
    this.height = Math.max(...this.#parts.map((p) => p.y + p.scene.height));
    this.cells = desks.cells + rooms.cells + robots.cells;
  }

  areas(): Area[] {
    return this.#parts.flatMap(({ scene, x, y }) =>
      scene.areas().map((area) => ({ ...area, x: area.x + x, y: area.y + y }))
    );
  }

  begin(out: ReadingBatch): void {
    for (const part of this.#parts) {
      this.#appendMoved(part, out, (batch) => part.scene.begin(batch));
    }
  }

  step(out: ReadingBatch): void {
    this.#steps++;
    for (const part of this.#parts) {
      if (this.#steps % part.period !== 0) continue;
      this.#appendMoved(part, out, (batch) => {
        for (let i = 0; i < part.steps; i++) part.scene.step(batch);
      });
    }
  }

  #part(scene: Scene, x: number, y: number, steps = 1): Part {
    return { scene, x, y, steps, period: scene.stepMs / this.stepMs };
  }

  /** Appends the readings of a part, moved to its position. */
  #appendMoved(
    { x, y }: Part,
    out: ReadingBatch,
    report: (batch: ReadingBatch) => void,
  ): void {
    const batch = this.#batch;
    batch.clear();
    report(batch);
    for (let i = 0; i < batch.length; i++) {
      out.push(batch.x[i]! + x, batch.y[i]! + y, batch.value[i]!);
    }
  }
}
