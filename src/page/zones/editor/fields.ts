/// <reference lib="dom" />
/**
 * Fields of the editor's forms, with their label, hint and problem.
 *
 * @module
 */

import { type Attributes, el, setText } from "../../elements/dom.ts";

/** A text field. */
export class Field {
  readonly element: HTMLDivElement;
  readonly input: HTMLInputElement;
  readonly #label: HTMLLabelElement;
  readonly #hint: HTMLParagraphElement;
  readonly #problem: HTMLParagraphElement;

  /**
   * @param id unique in the page
   * @param label what the field is
   * @param unit shown at the end of the field; empty for none
   * @param attributes of the input
   */
  constructor(
    id: string,
    label: string,
    unit = "",
    attributes: Attributes = {},
  ) {
    this.#label = el("label", { for: id }, label);
    this.input = el("input", {
      id,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": `${id}-hint ${id}-problem`,
      ...attributes,
    });
    this.#hint = el("p", { id: `${id}-hint`, class: "hint" });
    this.#problem = el("p", { id: `${id}-problem`, class: "problem" });
    this.element = el(
      "div",
      { class: "field" },
      this.#label,
      el(
        "div",
        { class: "entry" },
        this.input,
        unit === "" ? undefined : el("span", { "aria-hidden": "true" }, unit),
      ),
      this.#hint,
      this.#problem,
    );
    this.hint = "";
    this.problem = undefined;
  }

  /** The text, unless it is being typed: then it is already there. */
  set value(text: string) {
    if (this.input.value !== text) this.input.value = text;
  }

  get value(): string {
    return this.input.value;
  }

  /** What to know about the field; empty for nothing. */
  set hint(text: string) {
    setText(this.#hint, text);
    this.#hint.hidden = text === "";
  }

  /** What is wrong with its text; undefined for nothing. */
  set problem(text: string | undefined) {
    setText(this.#problem, text ?? "");
    this.#problem.hidden = text === undefined;
    this.input.setAttribute("aria-invalid", String(text !== undefined));
  }

  /** What stands at the end of the field. */
  set unit(text: string) {
    const unit = this.element.querySelector(".entry span");
    if (unit) setText(unit, text);
  }
}

/** A choice of a few, shown side by side. */
export class Segments<Value extends string> {
  readonly element: HTMLFieldSetElement;
  readonly #inputs = new Map<Value, HTMLInputElement>();

  /**
   * @param name unique in the page
   * @param legend what is chosen
   * @param options the values and their labels
   * @param onChoose called when the person chooses another one
   */
  constructor(
    name: string,
    legend: string,
    options: readonly (readonly [value: Value, label: string])[],
    onChoose: (value: Value) => void,
  ) {
    this.element = el(
      "fieldset",
      { class: "segments" },
      el("legend", {}, legend),
      el(
        "div",
        {},
        ...options.map(([value, label]) => {
          const input = el("input", { type: "radio", name, value });
          input.addEventListener("change", () => onChoose(value));
          this.#inputs.set(value, input);
          return el("label", {}, input, el("span", {}, label));
        }),
      ),
    );
  }

  set value(value: Value) {
    const input = this.#inputs.get(value);
    if (input && !input.checked) input.checked = true;
  }
}

/** Creates a button with an icon and a text. */
export function createButton(
  text: string,
  picture: SVGSVGElement | undefined,
  onClick: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const button = el(
    "button",
    { type: "button", class: "edit-button", ...attributes },
    picture,
    el("span", {}, text),
  );
  button.addEventListener("click", onClick);
  return button;
}
