/// <reference lib="dom" />
/**
 * Small controls of the utilisation mode: a group of buttons of which one or
 * several are pressed, and menus.
 *
 * @module
 */

import { el } from "../elements/dom.ts";

/** A choice: its value, its text, and what a tooltip adds to it. */
export interface Choice<Value> {
  readonly value: Value;
  readonly text: string;
  readonly title?: string;
}

/** Buttons side by side; `aria-pressed` says which are chosen. */
export class ChoiceGroup<Value> {
  readonly element: HTMLElement;
  readonly #buttons = new Map<Value, HTMLButtonElement>();

  /**
   * @param label of the group
   * @param onClick called with the value of a button that was clicked
   */
  constructor(
    label: string,
    choices: readonly Choice<Value>[],
    onClick: (value: Value) => void,
  ) {
    for (const { value, text, title } of choices) {
      const button = el(
        "button",
        { type: "button", title, "aria-pressed": "false" },
        text,
      );
      button.addEventListener("click", () => onClick(value));
      this.#buttons.set(value, button);
    }
    this.element = el(
      "div",
      { class: "choices", role: "group", "aria-label": label },
      ...this.#buttons.values(),
    );
  }

  /** Shows which values are chosen. */
  set chosen(values: readonly Value[]) {
    for (const [value, button] of this.#buttons) {
      button.setAttribute("aria-pressed", String(values.includes(value)));
    }
  }

  /** Shows another text on a button. */
  setText(value: Value, ...content: readonly (string | Node)[]): void {
    this.#buttons.get(value)?.replaceChildren(...content);
  }
}

/** A menu with a label before it. */
export function createMenu(
  label: string,
  choices: readonly Choice<string>[],
  onChange: (value: string) => void,
): HTMLSelectElement {
  const menu = el(
    "select",
    { "aria-label": label },
    ...choices.map(({ value, text }) => el("option", { value }, text)),
  );
  menu.addEventListener("change", () => onChange(menu.value));
  return menu;
}

/** Puts a menu into the frame that draws its arrow. */
export function framed(menu: HTMLSelectElement): HTMLElement {
  return el("div", { class: "pick" }, menu);
}
