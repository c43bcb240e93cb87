/// <reference lib="dom" />
/**
 * Draws with numbers instead of a pointer: a rectangle by its edges, a polygon
 * by its corners. It is shown beside the map while a tool draws.
 *
 * @module
 */

import { el, setText } from "../../elements/dom.ts";
import type { Position, Ring } from "../../../zones/zone.ts";
import { createButton, Field } from "./fields.ts";
import { closeRing, rectangleOf } from "./shapes.ts";
import type { Tool } from "./canvas_events.ts";

const INT = /^[-−]?\d{1,10}$/;
const TEXTS: Readonly<
  Record<Exclude<Tool, "select">, readonly [title: string, help: string]>
> = {
  rectangle: [
    "New rectangle",
    "Drag on the map, or click two opposite corners. Or type where it is, in cells:",
  ],
  polygon: [
    "New polygon",
    "Click the corners on the map; click the first one again, or press Enter, to finish. Or type the corners, in cells:",
  ],
  hole: [
    "New hole",
    "Drag a rectangle in the selected zone, or click two opposite corners. Or type where it is, in cells:",
  ],
};

/** The form. */
export class ShapeForm {
  readonly element: HTMLFormElement;
  readonly #title = el("h2");
  readonly #help = el("p", { class: "hint" });
  readonly #left = numberField("shape-left", "Left (x)");
  readonly #top = numberField("shape-top", "Top (y)");
  readonly #width = numberField("shape-width", "Width");
  readonly #height = numberField("shape-height", "Height");
  readonly #corners = new Field("shape-corners", "Corners", "", {
    placeholder: "0,0 10,0 10,5",
  });
  readonly #rectangle: HTMLDivElement;
  readonly #add: HTMLButtonElement;
  #tool: Tool = "select";

  /** @param onDraw called with a shape */
  constructor(onDraw: (ring: Ring, tool: Tool) => void) {
    this.#rectangle = el(
      "div",
      {},
      el("div", { class: "pair" }, this.#left.element, this.#top.element),
      el("div", { class: "pair" }, this.#width.element, this.#height.element),
    );
    this.#add = createButton("Add", undefined, () => {}, {
      type: "submit",
      class: "edit-button main",
    });
    this.element = el(
      "form",
      { class: "panel zone-form shape-form", novalidate: true },
      el("header", {}, this.#title),
      this.#help,
      this.#rectangle,
      this.#corners.element,
      el("div", { class: "buttons" }, this.#add),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      const ring = this.#tool === "polygon"
        ? this.#readCorners()
        : this.#readRectangle();
      if (ring) onDraw(ring, this.#tool);
    });
  }

  /** Shows the form of a tool. */
  update(tool: Tool, yUp: boolean): void {
    this.#tool = tool;
    if (tool === "select") return;
    const [title, help] = TEXTS[tool];
    setText(this.#title, title);
    setText(this.#help, help);
    setText(this.#add.querySelector("span")!, `Add ${title.slice(4)}`);
    setText(
      this.#top.element.querySelector("label")!,
      yUp ? "Bottom (y)" : "Top (y)",
    );
    this.#rectangle.hidden = tool === "polygon";
    this.#corners.element.hidden = tool !== "polygon";
  }

  /** Moves the focus to the first field. */
  focus(): void {
    const field = this.#tool === "polygon" ? this.#corners : this.#left;
    field.input.focus();
  }

  #readRectangle(): Ring | undefined {
    const [left, top] = [this.#left, this.#top].map((field) =>
      readNumber(field, "Enter a whole number.")
    );
    const [width, height] = [this.#width, this.#height].map((field) =>
      readNumber(field, "Enter a whole number above 0.", 1)
    );
    if (
      left === undefined || top === undefined || width === undefined ||
      height === undefined
    ) {
      this.element.querySelector<HTMLElement>('[aria-invalid="true"]')
        ?.focus();
      return undefined;
    }
    return rectangleOf([left, top], [left + width, top + height]);
  }

  #readCorners(): Ring | undefined {
    const corners = parseCorners(this.#corners.value);
    this.#corners.problem = corners === undefined
      ? "Enter at least three corners, each as x,y: 0,0 10,0 10,5"
      : undefined;
    if (corners === undefined) this.#corners.input.focus();
    return corners && closeRing(corners);
  }
}

/**
 * Parses corners: `0,0 10,0 10,5`, with spaces or semicolons between them.
 *
 * @returns undefined if a corner is not valid, or if there are less than three
 */
export function parseCorners(text: string): Position[] | undefined {
  const parts = text.trim().replace(/\s*,\s*/g, ",").split(/[\s;]+/);
  const corners = parts.map((part) => {
    const match = /^\(?([-−]?\d+(?:\.\d+)?),([-−]?\d+(?:\.\d+)?)\)?$/.exec(
      part,
    );
    const [x, y] = match?.slice(1).map((one) =>
      Number(one.replace("−", "-"))
    ) ??
      [];
    return x === undefined || y === undefined ? undefined : [x, y] as const;
  });
  return corners.length >= 3 && corners.every((one) => one !== undefined)
    ? corners
    : undefined;
}

function numberField(id: string, label: string): Field {
  return new Field(id, label, "", { inputmode: "numeric" });
}

function readNumber(
  field: Field,
  problem: string,
  min = -Infinity,
): number | undefined {
  const text = field.value.trim();
  const number = INT.test(text) ? Number(text.replace("−", "-")) : NaN;
  const isValid = number >= min;
  field.problem = isValid ? undefined : problem;
  return isValid ? number : undefined;
}
