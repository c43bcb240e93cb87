/// <reference lib="dom" />
/**
 * What lies over the cells: the selection, the cursor, and the cell pointed at.
 *
 * @module
 */

import { byId, el } from "../elements/dom.ts";

/** What can be marked. */
export type MarkName = "box" | "hover" | "cursor";

/** A rectangle on the map, CSS pixels. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Beyond the edge no one sees how far; a browser draws nothing that is too large. */
const FAR = 10_000;
/** A mark is never so small that it is not seen. */
const LEAST = 6;

/** The marks on the map. */
export class Marks {
  readonly #elements = new Map<MarkName, HTMLElement>();

  constructor() {
    const marks = byId("div", "marks");
    for (const name of ["box", "hover", "cursor"] as const) {
      const element = el("div", { class: `mark ${name}`, hidden: true });
      this.#elements.set(name, element);
      marks.append(element);
    }
  }

  /** Puts a mark around a rectangle, or takes it away. */
  place(name: MarkName, rect: Rect | undefined): void {
    const element = this.#elements.get(name)!;
    element.hidden = rect === undefined;
    if (rect === undefined) return;
    const [left, width] = cut(rect.left, rect.width);
    const [top, height] = cut(rect.top, rect.height);
    element.style.transform = `translate(${left}px, ${top}px)`;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
  }
}

function cut(start: number, length: number): [number, number] {
  const missing = Math.max(0, LEAST - length) / 2;
  const from = Math.max(start - missing, -FAR);
  const to = Math.min(start + length + missing, FAR);
  return [from, Math.max(0, to - from)];
}
