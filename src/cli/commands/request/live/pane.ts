import type {
  Canvas,
  ColorDepth,
  CountedCells,
} from "../../../terminal/map/mod.ts";
import type { Key } from "./keys.ts";

/** All that there is to show. */
export interface Scene {
  readonly layer: string;
  readonly cells: CountedCells;
  /** The server's time by now, ms since 1970. */
  readonly time: number;
  /** ms */
  readonly staleAfter: number | undefined;
  /** What a person must know just now, if anything. */
  readonly note: string | undefined;
  /** Of the terminal, in characters. */
  readonly width: number;
  readonly height: number;
  readonly depth: ColorDepth;
}

/** A way to look at a map that changes. It remembers where a person looks. */
export interface Pane {
  /** True if the picture changes as time passes, and not only as cells do. */
  readonly ages: boolean;
  /** Draws what there is, no larger than the terminal. */
  draw(scene: Scene): Canvas;
  /** Does what a key means. @returns whether it means anything here */
  press(key: Key): boolean;
}
