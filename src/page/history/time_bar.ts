/// <reference lib="dom" />
/**
 * The controls of the time: day, steps, replay and its speed, the day to compare
 * with, and the exports.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { icon } from "../elements/icons.ts";
import { DateField } from "./date_field.ts";
import { type Speed, SPEEDS } from "./history_parts.ts";

const PATHS = {
  back: "M12.5 4.5L7 10l5.5 5.5",
  forward: "M7.5 4.5L13 10l-5.5 5.5",
  stepBack: "M6 5v10M14.5 5L8.5 10l6 5z",
  stepForward: "M14 5v10M5.5 5l6 5-6 5z",
  play: "M6.5 4.5L15 10l-8.5 5.5z",
  pause: "M7 4.5v11M13 4.5v11",
  export: "M10 3.5v9M6.5 9.5L10 13l3.5-3.5M4 16.5h12",
} as const;

/** How fast each speed is, in words. */
const SPEED_TEXTS: Readonly<Record<Speed, string>> = {
  10: "10 seconds a second",
  60: "1 minute a second",
  300: "5 minutes a second",
  900: "15 minutes a second",
  3600: "1 hour a second",
};

const KEYS = [
  [["Space"], "play"],
  [["←", "→"], "1 min"],
  [["Shift", "←", "→"], "15 min"],
  [["L"], "live"],
] as const;

/** Callbacks of {@linkcode TimeBar}. */
export interface TimeBarEvents {
  /** @param days 1 or -1 */
  onDays(days: number): void;
  /** @param date `2026-11-24` */
  onDate(date: string): void;
  onStep(minutes: number): void;
  onPlay(): void;
  onSpeed(speed: Speed): void;
  /** @param date `2026-11-17`; undefined: no other day */
  onCompare(date: string | undefined): void;
}

/** An entry of the menu of exports. */
export interface ExportEntry {
  readonly title: string;
  /** The address of a file of the server, or what makes a file. */
  readonly target: string | (() => void);
}

/** What the bar shows. */
export interface TimeBarState {
  readonly date: string;
  readonly day: string;
  readonly range: readonly [first: string, last: string];
  readonly isPlaying: boolean;
  readonly speed: Speed;
  readonly compare: { readonly date: string; readonly day: string } | undefined;
  readonly hasDayBefore: boolean;
  readonly hasDayAfter: boolean;
}

/** The bar. */
export class TimeBar {
  readonly element: HTMLElement;
  readonly #date: DateField;
  readonly #compare: DateField;
  readonly #before: HTMLButtonElement;
  readonly #after: HTMLButtonElement;
  readonly #play: HTMLButtonElement;
  readonly #playText = el("span");
  readonly #speed = el("select", { "aria-label": "Speed of the replay" });
  readonly #speedText = el("span", { class: "speed-text" });
  readonly #clear: HTMLButtonElement;
  readonly #menu = el("details", { class: "menu" });
  readonly #entries = el("div", { class: "menu-entries" });
  #isPlaying: boolean | undefined;

  /** @param entries returns the exports, when the menu is opened */
  constructor(events: TimeBarEvents, entries: () => readonly ExportEntry[]) {
    const { onStep } = events;
    this.#before = tool("Day before", PATHS.back, () => events.onDays(-1));
    this.#after = tool("Day after", PATHS.forward, () => events.onDays(1));
    this.#date = new DateField("Day", (date) => events.onDate(date));
    this.#compare = new DateField(
      "Compare with another day",
      (date) => events.onCompare(date || undefined),
    );
    this.#clear = tool(
      "Do not compare",
      "M5 5l10 10M15 5L5 15",
      () => events.onCompare(undefined),
    );
    this.#play = el(
      "button",
      { type: "button", class: "button primary play" },
      this.#playText,
    );
    this.#play.addEventListener("click", () => events.onPlay());
    this.#speed.append(
      ...SPEEDS.map((speed) => el("option", { value: speed }, `${speed}×`)),
    );
    this.#speed.addEventListener("change", () => {
      const speed = SPEEDS.find((one) => String(one) === this.#speed.value);
      if (speed !== undefined) events.onSpeed(speed);
    });
    this.#createMenu(entries);
    this.element = el(
      "div",
      { class: "time-bar", role: "group", "aria-label": "Time" },
      el("div", {}, this.#before, this.#date.element, this.#after),
      el(
        "div",
        {},
        text("−15 min", () => onStep(-15)),
        tool("Back 1 minute (←)", PATHS.stepBack, () => onStep(-1)),
        this.#play,
        tool("Forward 1 minute (→)", PATHS.stepForward, () => onStep(1)),
        text("+15 min", () => onStep(15)),
      ),
      el(
        "div",
        {},
        el("span", { class: "muted" }, "Speed"),
        el("div", { class: "pick" }, this.#speed),
        this.#speedText,
      ),
      el("div", { class: "compare" }, this.#compare.element, this.#clear),
      this.#menu,
      el(
        "p",
        { class: "time-keys", "aria-hidden": "true" },
        ...KEYS.map(([keys, action]) =>
          el(
            "span",
            {},
            ...keys.flatMap((key) => [el("kbd", {}, key), " "]),
            action,
          )
        ),
      ),
    );
  }

  /** Shows the state of the replay. */
  show(state: TimeBarState): void {
    const { date, day, range, compare, speed, isPlaying } = state;
    this.#date.show(date, day, range);
    this.#compare.show(
      compare?.date ?? "",
      compare === undefined ? "Compare" : `with ${compare.day}`,
      range,
    );
    this.#clear.hidden = compare === undefined;
    this.#before.disabled = !state.hasDayBefore;
    this.#after.disabled = !state.hasDayAfter;
    this.#speed.value = String(speed);
    setText(this.#speedText, SPEED_TEXTS[speed]);
    if (isPlaying === this.#isPlaying) return;
    this.#isPlaying = isPlaying;
    this.#play.replaceChildren(
      icon(isPlaying ? PATHS.pause : PATHS.play),
      this.#playText,
    );
    setText(this.#playText, isPlaying ? "Pause" : "Play");
  }

  #createMenu(entries: () => readonly ExportEntry[]): void {
    this.#menu.append(
      el("summary", { class: "button" }, icon(PATHS.export), "Export"),
      this.#entries,
    );
    const close = () => this.#menu.open = false;
    this.#menu.addEventListener("toggle", () => {
      if (!this.#menu.open) return;
      this.#entries.replaceChildren(
        ...entries().map(({ title, target }) => {
          if (typeof target === "string") {
            const link = el("a", { href: target, download: true }, title);
            link.addEventListener("click", close);
            return link;
          }
          const button = el("button", { type: "button" }, title);
          button.addEventListener("click", () => {
            close();
            target();
          });
          return button;
        }),
      );
    });
    this.#menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#menu.open) return;
      close();
      this.#menu.querySelector("summary")?.focus();
      event.stopPropagation();
    });
    this.#menu.addEventListener("focusout", ({ relatedTarget }) => {
      const inside = relatedTarget instanceof Node &&
        this.#menu.contains(relatedTarget);
      if (relatedTarget !== null && !inside) close();
    });
  }
}

function tool(title: string, path: string, onClick: () => void) {
  const button = el("button", {
    type: "button",
    class: "button square-button",
    "aria-label": title.replace(/ \(.*/, ""),
    title,
  }, icon(path));
  button.addEventListener("click", onClick);
  return button;
}

function text(title: string, onClick: () => void) {
  const button = el("button", { type: "button", class: "button" }, title);
  button.addEventListener("click", onClick);
  return button;
}
