/// <reference lib="dom" />
/**
 * What one presses: the bar, the tools on the map, the keys.
 *
 * @module
 */

import { announce } from "../elements/announcer.ts";
import { byId, el } from "../elements/dom.ts";
import type { Explorer } from "./explorer.ts";
import { Help } from "./help.ts";
import { ICONS } from "../elements/icons.ts";
import { listenToKeys } from "./keys.ts";
import type { MapView } from "../map/map_view.ts";
import { type PaletteName, PALETTES, type Theme } from "../map/palette.ts";
import { prefer, preferred } from "./preferences.ts";
import { ThemeSwitch } from "./theme.ts";
import { parseCoordinate, type ViewState } from "./view_hash.ts";

/** How far an arrow key moves the map, CSS pixels. */
const PAN_PX = 120;
const ZOOM = 1.6;
const NO_COORDINATE = "Not a coordinate: write it like 12,-4";

/** What the controls act on. */
export interface Controlled {
  readonly explorer: Explorer;
  readonly map: () => MapView;
  /** The palette or the theme is another. */
  colors(): void;
  goTo(x: number, y: number): void;
  /** Puts the focus where a layer is chosen. */
  layer(): void;
  fit(): void;
  plan(on: boolean): void;
}

/** The controls, and what is chosen with them. */
export class Controls {
  readonly #on: Controlled;
  readonly #palette = byId("select", "palette");
  readonly #theme: ThemeSwitch;
  readonly #themeButton = byId("button", "theme");
  readonly #goto = byId("input", "goto-text");
  readonly #box: HTMLButtonElement;
  readonly #plan: HTMLButtonElement;
  #letters = preferred("letters") !== "off";
  /** What the address asks for, or a person has chosen on this page. */
  #chosenPalette: PaletteName | undefined;

  /** @param view What the address asks for */
  constructor(view: ViewState, on: Controlled) {
    this.#on = on;
    this.#chosenPalette = view.palette;
    this.#palette.append(
      ...Object.entries(PALETTES).map(([name, title]) =>
        el("option", { value: name }, title)
      ),
    );
    this.#palette.value = view.palette ?? known(preferred("palette"));
    this.#palette.addEventListener("change", () => {
      this.#chosenPalette = this.palette;
      prefer("palette", this.palette);
      on.colors();
    });
    const theme = preferred("theme");
    this.#theme = new ThemeSwitch(
      view.theme ?? (theme === "light" || theme === "dark" ? theme : "auto"),
      () => {
        this.#showTheme();
        on.colors();
      },
    );
    this.#themeButton.addEventListener("click", () => this.#turnTheme());
    this.#showTheme();

    this.#box = tool("Select cells: drag a box (b)", ICONS.box(), () => {
      this.#toggleBox();
    });
    this.#plan = tool("Floor plan", ICONS.plan(), () => {
      const shown = !this.planShown;
      this.#plan.setAttribute("aria-pressed", String(shown));
      on.plan(shown);
    });
    this.#box.setAttribute("aria-pressed", "false");
    this.#plan.setAttribute("aria-pressed", "true");
    this.#plan.hidden = true;
    byId("div", "tools").append(
      tool("Zoom in (+)", ICONS.nearer(), () => on.map().zoomBy(ZOOM)),
      tool("Zoom out (−)", ICONS.further(), () => on.map().zoomBy(1 / ZOOM)),
      tool("Show all (0)", ICONS.fit(), () => on.fit()),
      this.#box,
      this.#plan,
    );
    const help = new Help({
      get: () => this.#letters,
      set: (letters) => {
        this.#letters = letters;
        prefer("letters", letters ? "on" : "off");
      },
    });
    const helpButton = byId("button", "help");
    helpButton.append(ICONS.help());
    helpButton.addEventListener("click", () => help.show());
    byId("form", "goto").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#goto.addEventListener("input", () => this.#valid(true));
    document.body.classList.toggle(
      "kiosk",
      new URLSearchParams(location.search).get("kiosk") === "1",
    );
    this.#listen(help);
  }

  get palette(): PaletteName {
    return this.#palette.value as PaletteName;
  }

  get theme(): Theme {
    return this.#theme.theme;
  }

  /** Whether a floor plan is to be shown where there is one. */
  get planShown(): boolean {
    return this.#plan.getAttribute("aria-pressed") === "true";
  }

  /** What belongs into the address: only what is not as usual. */
  get chosen(): Pick<ViewState, "palette" | "theme"> {
    const { choice } = this.#theme;
    return {
      ...(this.#chosenPalette ? { palette: this.#chosenPalette } : {}),
      ...(choice === "auto" ? {} : { theme: choice }),
    };
  }

  /** Follows an address that was changed by hand. */
  apply({ palette, theme }: ViewState): void {
    if (palette && palette !== this.palette) {
      this.#palette.value = this.#chosenPalette = palette;
      this.#on.colors();
    }
    if (theme && theme !== this.#theme.choice) this.#theme.choose(theme);
  }

  /** Whether this layer has a floor plan that can be put under it. */
  planKnown(known: boolean): void {
    this.#plan.hidden = !known;
  }

  #listen(help: Help): void {
    const { explorer, map } = this.#on;
    listenToKeys(byId("div", "map"), {
      arrow: (right, down, selecting) => {
        if (explorer.hasCursor) explorer.moveCursor(right, down, selecting);
        else map().panBy(right * PAN_PX, down * PAN_PX);
      },
      zoom: (direction) => map().zoomBy(ZOOM ** direction),
      fit: () => this.#on.fit(),
      goTo: () => {
        this.#goto.focus();
        this.#goto.select();
      },
      layer: () => this.#on.layer(),
      theme: () => this.#turnTheme(),
      boxTool: () => this.#toggleBox(),
      cursor: () => {
        explorer.toggleCursor();
        byId("div", "map").focus();
      },
      help: () => help.show(),
      escape: () => {
        if (document.activeElement === this.#goto) {
          this.#valid(true);
          byId("div", "map").focus();
          return true;
        }
        if (map().boxTool) {
          this.#toggleBox();
          return true;
        }
        return explorer.escape();
      },
    }, () => this.#letters);
  }

  #submit(): void {
    const at = parseCoordinate(this.#goto.value);
    this.#valid(at !== undefined);
    if (at === undefined) {
      announce(NO_COORDINATE);
      this.#goto.reportValidity(); // shows it, too
      return;
    }
    this.#on.goTo(...at);
    byId("div", "map").focus();
  }

  #valid(valid: boolean): void {
    this.#goto.setAttribute("aria-invalid", String(!valid));
    this.#goto.setCustomValidity(valid ? "" : NO_COORDINATE);
  }

  #toggleBox(): void {
    const on = !this.#on.map().boxTool;
    this.#on.map().boxTool = on;
    this.#box.setAttribute("aria-pressed", String(on));
    announce(on ? "Drag a box to select cells" : "Drag moves the map");
  }

  #turnTheme(): void {
    this.#theme.turn();
    prefer("theme", this.#theme.choice);
    announce(`Theme: ${THEME_NAMES[this.#theme.choice]}`);
  }

  #showTheme(): void {
    const { choice } = this.#theme;
    const name = `Theme: ${THEME_NAMES[choice]}`;
    this.#themeButton.replaceChildren(ICONS[choice]());
    this.#themeButton.setAttribute("aria-label", name);
    this.#themeButton.title = `${name} (t)`;
  }
}

const THEME_NAMES = {
  auto: "automatic",
  light: "light",
  dark: "dark",
} as const;

function tool(
  name: string,
  picture: SVGSVGElement,
  press: () => void,
): HTMLButtonElement {
  const button = el("button", {
    type: "button",
    class: "square",
    "aria-label": name.replace(/ \(.*/, ""),
    title: name,
  }, picture);
  button.addEventListener("click", press);
  return button;
}

function known(name: string | undefined): PaletteName {
  return name !== undefined && Object.hasOwn(PALETTES, name)
    ? name as PaletteName
    : "safe";
}
