import { ReadingBatch } from "../protocol/mod.ts";
import { Desks } from "./desks.ts";
import { Robots } from "./robots.ts";
import { Rooms } from "./rooms.ts";
import { DEFAULT_START, type Scene, type SceneOptions } from "./scene.ts";

/** Cells between the parts of the campus. */
const GAP = 3;

/** A part of the campus, and where it lies. */
interface Part {
  readonly scene: Scene;
  readonly x: number;
  readonly y: number;
  /** The part has its turn once in so many steps of the campus. */
  readonly every: number;
  /** Then it takes so many steps of its own. */
  readonly steps: number;
}

/**
 * An office above, meeting rooms below it, and a warehouse beside both, on one
 * map. `size` is the number of desks; the others follow from it.
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
    const { seed = 1, size = 240, start = DEFAULT_START, officePace = 1 } =
      options;
    const share = (part: number) => Math.max(1, Math.round(size * part));
    const desks = new Desks({ seed, start, size });
    const rooms = new Rooms({ seed, start, size: share(0.2) });
    const robots = new Robots({ seed, size: share(0.08) });
    this.stepMs = robots.stepMs;
    this.#parts = [
      this.#part(desks, 0, 0, officePace),
      this.#part(rooms, 0, desks.height + GAP, officePace),
      this.#part(robots, Math.max(desks.width, rooms.width) + GAP, 0),
    ];
    this.width = Math.max(...this.#parts.map((p) => p.x + p.scene.width));
    this.height = Math.max(...this.#parts.map((p) => p.y + p.scene.height));
    this.cells = desks.cells + rooms.cells + robots.cells;
  }

  begin(out: ReadingBatch): void {
    for (const part of this.#parts) {
      this.#moved(part, out, (batch) => part.scene.begin(batch));
    }
  }

  step(out: ReadingBatch): void {
    this.#steps++;
    for (const part of this.#parts) {
      if (this.#steps % part.every !== 0) continue;
      this.#moved(part, out, (batch) => {
        for (let i = 0; i < part.steps; i++) part.scene.step(batch);
      });
    }
  }

  #part(scene: Scene, x: number, y: number, steps = 1): Part {
    return { scene, x, y, steps, every: scene.stepMs / this.stepMs };
  }

  /** Pushes the readings of a part where the part lies. */
  #moved(
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
