/// <reference lib="dom" />
/**
 * The switch in the bar between the live map, its history and its utilisation.
 * Opens and closes the modes.
 *
 * @module
 */

import { messageOf } from "../common/errors.ts";
import type { ViewHash } from "./controls/view_hash.ts";
import { announce, byId, el, setText } from "./elements/dom.ts";
import { ICONS } from "./elements/icons.ts";
import {
  MODE_NAMES,
  type ModeHost,
  type ModeName,
  type ModeParts,
  type ModeSlots,
  type OpenMode,
  type PageMode,
} from "./modes/mode.ts";
import type { ShownCells } from "./shown_cells.ts";

/** Loads what opens a mode; undefined for a mode that the page has not. */
export type ModeLoaders = Readonly<
  Record<ModeName, (() => Promise<OpenMode>) | undefined>
>;

/** Dependencies of {@linkcode ModeSwitch}. */
export interface ModeSwitchOptions {
  readonly loaders: ModeLoaders;
  /** What a mode gets of the page. */
  readonly host: Omit<ModeHost, "slots" | "goLive" | "switchTo">;
}

/** The mode of an address; undefined: live. */
export interface ModeView {
  readonly mode?: ModeName;
  readonly parts?: ModeParts;
}

const TITLES = {
  live: "Live",
  history: "History",
  utilisation: "Utilisation",
} as const;
const NO_PARTS: ModeParts = {};

/** The slots of the page. */
function findSlots(): ModeSlots {
  return {
    bar: byId("div", "mode-bar"),
    cards: byId("div", "mode-cards"),
    map: byId("div", "mode-map"),
    head: byId("div", "mode-head"),
    legend: byId("div", "mode-legend"),
    marks: byId("div", "mode-marks"),
    side: byId("div", "mode-side"),
    sideEnd: byId("div", "mode-side-end"),
    foot: byId("div", "mode-foot"),
  };
}

/** The parts of the page that the modes need. */
export interface ModePage
  extends Pick<ModeHost, "map" | "zones" | "layer" | "now" | "colors"> {
  readonly cells: ShownCells;
  /** Returns the writer of the address, once there is one. */
  hash(): ViewHash;
}

/**
 * Creates the switch of the page.
 *
 * @param later loads what opens a mode
 */
export function createModeSwitch(
  { cells, hash, ...page }: ModePage,
  later: () => Promise<typeof import("./later.ts")>,
): ModeSwitch {
  return new ModeSwitch({
    loaders: {
      history: async () => (await later()).openHistory,
      utilisation: async () => (await later()).openUtilisation,
    },
    host: {
      ...page,
      get pastCells() {
        return cells.past;
      },
      set pastCells(past) {
        cells.past = past;
      },
      get pastTime() {
        return cells.time;
      },
      set pastTime(time) {
        cells.time = time;
      },
      get cellText() {
        return cells.textOf;
      },
      set cellText(textOf) {
        cells.textOf = textOf;
      },
      refresh: () => cells.refresh(),
      write: () => hash().scheduleWrite(),
      change: (apply) => hash().change(apply),
    },
  });
}

/** The switch. */
export class ModeSwitch {
  readonly #options: ModeSwitchOptions;
  readonly #slots = findSlots();
  readonly #buttons = new Map<"live" | ModeName, HTMLButtonElement>();
  readonly #problem = byId("div", "mode-problem");
  readonly #problemText = el("p");
  /** The mode that is shown or being opened; undefined: live. */
  #name: ModeName | undefined;
  #mode: PageMode | undefined;
  /** The parts of a mode that is being opened. */
  #parts = NO_PARTS;
  /** Increases with each switch: what was begun before is out of date. */
  #turn = 0;

  constructor(options: ModeSwitchOptions) {
    this.#options = options;
    for (const name of ["live", ...MODE_NAMES] as const) {
      const button = el(
        "button",
        { type: "button", "data-mode": name },
        ICONS[name](),
        el("span", {}, TITLES[name]),
      );
      button.hidden = name !== "live" && options.loaders[name] === undefined;
      button.addEventListener("click", () => this.#switchByUser(name));
      this.#buttons.set(name, button);
    }
    byId("div", "modes").append(...this.#buttons.values());
    const close = el(
      "button",
      { type: "button", class: "quiet", "aria-label": "Close" },
      ICONS.close(),
    );
    close.addEventListener("click", () => this.#problem.hidden = true);
    this.#problem.append(this.#problemText, close);
    this.#show();
  }

  /** The mode that is open; undefined: live. */
  get mode(): PageMode | undefined {
    return this.#mode;
  }

  /** The mode for the address. */
  get view(): ModeView {
    if (this.#name === undefined) return {};
    return { mode: this.#name, parts: this.#mode?.parts ?? this.#parts };
  }

  /** Shows the mode of an address. */
  apply({ mode, parts = NO_PARTS }: ModeView): void {
    if (document.body.classList.contains("kiosk")) return;
    if (mode === undefined) this.#goLive();
    else if (mode === this.#name && this.#mode) this.#mode.apply(parts);
    else void this.#open(mode, parts);
  }

  #switchByUser(name: "live" | ModeName): void {
    if (name === (this.#name ?? "live")) return;
    if (name === "live") this.#options.host.change(() => this.#goLive());
    else this.#options.host.change(() => void this.#open(name, NO_PARTS));
  }

  #goLive(): void {
    this.#close();
    this.#name = undefined;
    this.#problem.hidden = true;
    this.#show();
  }

  #close(): void {
    this.#turn++;
    const mode = this.#mode;
    this.#mode = undefined;
    mode?.close();
    for (const slot of Object.values(this.#slots)) slot.replaceChildren();
  }

  async #open(name: ModeName, parts: ModeParts): Promise<void> {
    const load = this.#options.loaders[name];
    if (load === undefined) return;
    this.#close();
    this.#name = name;
    this.#parts = parts;
    this.#problem.hidden = true;
    this.#show();
    const turn = this.#turn;
    try {
      const open = await load();
      if (turn !== this.#turn) return;
      const mode = await open(this.#host(), parts);
      if (turn !== this.#turn) return mode.close();
      this.#mode = mode;
      this.#options.host.write();
      announce(TITLES[name]);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#goLive();
      this.#options.host.write();
      const text = messageOf(error);
      setText(this.#problemText, text);
      this.#problem.hidden = false;
      announce(text);
    }
  }

  #host(): ModeHost {
    const { host } = this.#options;
    const change = (apply: () => void) => host.change(apply);
    return Object.create(host, {
      slots: { value: this.#slots },
      goLive: { value: () => change(() => this.#goLive()) },
      switchTo: {
        value: (name: ModeName, parts: ModeParts) =>
          change(() => void this.#open(name, parts)),
      },
    });
  }

  #show(): void {
    const name = this.#name ?? "live";
    for (const [one, button] of this.#buttons) {
      button.setAttribute("aria-pressed", String(one === name));
    }
    if (this.#name === undefined) delete document.body.dataset["mode"];
    else document.body.dataset["mode"] = this.#name;
  }
}
