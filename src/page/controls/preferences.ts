/// <reference lib="dom" />
/**
 * The user's preferences: palette, theme and single-letter shortcuts, stored in
 * the browser.
 *
 * @module
 */

import { announce, byId, el } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import {
  isPaletteName,
  type PaletteName,
  PALETTES,
  type Theme,
} from "../map/palette.ts";
import type { ViewState } from "./view_hash.ts";

type ThemeChoice = Theme | "auto";

const NEXT_THEME: Record<ThemeChoice, ThemeChoice> = {
  auto: "light",
  light: "dark",
  dark: "auto",
};
const THEME_TITLES: Record<ThemeChoice, string> = {
  auto: "automatic",
  light: "light",
  dark: "dark",
};

/** The preferences, with the palette menu and the theme button in the bar. */
export class Preferences {
  readonly #onColors: () => void;
  readonly #menu = byId("select", "palette");
  readonly #button = byId("button", "theme");
  readonly #systemDark = matchMedia("(prefers-color-scheme: dark)");
  /** The palette if it is in the address or was chosen on this page. */
  #chosenPalette: PaletteName | undefined;
  #theme: ThemeChoice;
  #letterKeys = load("letters") !== "off";
  #printing = false;

  /**
   * @param view from the address; overrides stored preferences
   * @param onColors called when palette or theme change
   */
  constructor(view: ViewState, onColors: () => void) {
    this.#onColors = onColors;
    this.#chosenPalette = view.palette;
    this.#menu.append(
      ...Object.entries(PALETTES).map(([name, title]) =>
        el("option", { value: name }, title)
      ),
    );
    const palette = load("palette");
    this.#menu.value = view.palette ??
      (isPaletteName(palette) ? palette : "safe");
    this.#menu.addEventListener("change", () => {
      this.#chosenPalette = this.palette;
      store("palette", this.palette);
      onColors();
    });
    const theme = load("theme");
    this.#theme = view.theme ??
      (theme === "light" || theme === "dark" ? theme : "auto");
    this.#button.addEventListener("click", () => this.nextTheme());
    this.#systemDark.addEventListener("change", () => this.#applyTheme());
    this.#showTheme();
  }

  /** The palette in use. */
  get palette(): PaletteName {
    return this.#menu.value as PaletteName;
  }

  /** The theme in use. */
  get theme(): Theme {
    if (this.#printing) return "light";
    if (this.#theme !== "auto") return this.#theme;
    return this.#systemDark.matches ? "dark" : "light";
  }

  /** Whether the page is being printed, in light colours. */
  set printing(on: boolean) {
    this.#printing = on;
    this.#applyTheme();
  }

  /** Whether single letters are shortcuts. */
  get letterKeys(): boolean {
    return this.#letterKeys;
  }

  set letterKeys(on: boolean) {
    this.#letterKeys = on;
    store("letters", on ? "on" : "off");
  }

  /** The part of the address: only what differs from the defaults. */
  get viewState(): Pick<ViewState, "palette" | "theme"> {
    return {
      ...(this.#chosenPalette ? { palette: this.#chosenPalette } : {}),
      ...(this.#theme === "auto" ? {} : { theme: this.#theme }),
    };
  }

  /** Applies an address that was edited. */
  apply({ palette, theme }: ViewState): void {
    if (palette && palette !== this.palette) {
      this.#menu.value = this.#chosenPalette = palette;
      this.#onColors();
    }
    if (theme && theme !== this.#theme) {
      this.#theme = theme;
      this.#applyTheme();
    }
  }

  /** Switches to the next theme: automatic, light, dark. */
  nextTheme(): void {
    this.#theme = NEXT_THEME[this.#theme];
    this.#applyTheme();
    store("theme", this.#theme);
    announce(`Theme: ${THEME_TITLES[this.#theme]}`);
  }

  #applyTheme(): void {
    this.#showTheme();
    this.#onColors();
  }

  #showTheme(): void {
    document.documentElement.dataset["theme"] = this.theme;
    const title = `Theme: ${THEME_TITLES[this.#theme]}`;
    this.#button.replaceChildren(ICONS[this.#theme]());
    this.#button.setAttribute("aria-label", title);
    this.#button.title = `${title} (t)`;
  }
}

type StoredName = "palette" | "theme" | "letters";

function load(name: StoredName): string | undefined {
  try {
    return localStorage.getItem(`occupancy.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(name: StoredName, value: string): void {
  try {
    localStorage.setItem(`occupancy.${name}`, value);
  } catch {
    // Private windows can forbid storage: then the choice is lost when the page
    // closes.
  }
}
