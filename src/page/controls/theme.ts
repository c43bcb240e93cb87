/// <reference lib="dom" />
/**
 * Light or dark, as chosen or as the system prefers.
 *
 * @module
 */

import type { Theme } from "../map/palette.ts";

/** What a person can choose. */
export type ThemeChoice = Theme | "auto";

const NEXT: Record<ThemeChoice, ThemeChoice> = {
  auto: "light",
  light: "dark",
  dark: "auto",
};

/** Puts the theme on the page and tells when it changes. */
export class ThemeSwitch {
  #choice: ThemeChoice;
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");
  readonly #changed: () => void;

  /** @param changed Called whenever the theme is another, whoever wanted it */
  constructor(choice: ThemeChoice, changed: () => void) {
    this.#choice = choice;
    this.#changed = changed;
    this.#dark.addEventListener("change", () => this.#apply());
    document.documentElement.dataset["theme"] = this.theme;
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** What is shown. */
  get theme(): Theme {
    if (this.#choice !== "auto") return this.#choice;
    return this.#dark.matches ? "dark" : "light";
  }

  /** Goes on to the next: automatic, light, dark. */
  turn(): void {
    this.choose(NEXT[this.#choice]);
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset["theme"] = this.theme;
    this.#changed();
  }
}
