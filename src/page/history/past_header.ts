/// <reference lib="dom" />
/**
 * What makes sure that the past is not taken for the present: the time in the
 * bar, the way back, and the sign on the map.
 *
 * @module
 */

import { announce, el, setText } from "../elements/dom.ts";
import { icon, ICONS } from "../elements/icons.ts";
import type { ModeSlots } from "../modes/mode.ts";

const LINK =
  "M8.5 11.5l3-3M7 9L5 11a3 3 0 0 0 4 4l2-2M9 7l2-2a3 3 0 0 1 4 4l-2 2";
/** How long the button says that the link is copied, ms. */
const COPIED_MS = 2000;

/** What the map is, if it is not the recorded map of the time. */
export type MapProblem =
  | { readonly kind: "loading" }
  /** @param text what happened and what to do */
  | { readonly kind: "failed"; readonly text: string }
  | { readonly kind: "gap"; readonly text: string };

/** The signs. */
export class PastHeader {
  readonly #when = el("strong");
  readonly #age = el("span");
  readonly #problem = el("p", { class: "past-problem", role: "status" });
  readonly #problemText = el("span");
  readonly #retry: HTMLButtonElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onLive called when the user wants the live map
   * @param onRetry called when the user wants to load the time again
   */
  constructor(slots: ModeSlots, onLive: () => void, onRetry: () => void) {
    const live = el(
      "button",
      {
        type: "button",
        class: "button back-to-live",
        title: "Back to live (L)",
      },
      el("i", { class: "dot", "aria-hidden": "true" }),
      "Back to live",
    );
    live.addEventListener("click", onLive);
    const copyText = el("span", {}, "Copy link");
    const copy = el(
      "button",
      { type: "button", class: "button copy-link" },
      icon(LINK),
      copyText,
    );
    copy.addEventListener("click", () => void this.#copy(copyText));
    slots.bar.append(
      el(
        "div",
        { class: "past-pill" },
        ICONS.history(),
        el("span", {}, "Viewing "),
        this.#when,
      ),
      live,
      copy,
    );
    this.#retry = el("button", { type: "button", class: "small" }, "Try again");
    this.#retry.addEventListener("click", onRetry);
    this.#problem.append(this.#problemText, this.#retry);
    this.#problem.hidden = true;
    slots.map.append(
      el(
        "div",
        { class: "not-live" },
        ICONS.history(),
        el("strong", {}, "Not live"),
        this.#age,
      ),
      this.#problem,
    );
  }

  /**
   * Shows a time.
   *
   * @param when `Tue 24 Nov 2026, 10:00:00`
   * @param age how long ago: `2 days ago`
   */
  show(when: string, age: string): void {
    setText(this.#when, when);
    setText(this.#age, age);
  }

  /** Says why the map is not that of the time. */
  set problem(problem: MapProblem | undefined) {
    document.body.classList.toggle("past-unknown", problem !== undefined);
    this.#problem.hidden = problem === undefined || problem.kind === "loading";
    this.#retry.hidden = problem?.kind !== "failed";
    if (problem === undefined || problem.kind === "loading") return;
    setText(this.#problemText, problem.text);
  }

  /** Removes what is not in the slots. */
  close(): void {
    clearTimeout(this.#timer);
    document.body.classList.remove("past-unknown");
  }

  async #copy(text: HTMLElement): Promise<void> {
    let said = "Link copied";
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      // Without https the browser refuses; the address has the link.
      said = "Copy the address of the page";
    }
    setText(text, said);
    announce(said);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => setText(text, "Copy link"), COPIED_MS);
  }
}
