/// <reference lib="dom" />
/**
 * Whether what is seen is live, and since when it is not.
 *
 * @module
 */

import { announce } from "../elements/announcer.ts";
import { byId, setText } from "../elements/dom.ts";
import { clock, span } from "../elements/format.ts";

/** What is between the sensors and the page. */
export type LinkState =
  | { readonly kind: "connecting" }
  | {
    readonly kind: "live";
    /** Updates of the map in the last second. */
    readonly hertz: number;
    /** How long news are on their way, ms; undefined until it was measured. */
    readonly lag: number | undefined;
  }
  /** The server is there, its broker is not. */
  | { readonly kind: "no-broker"; readonly since: number }
  /** The server is there, but cannot keep what arrives. */
  | { readonly kind: "store"; readonly problem: string }
  /** The server turned the page away. */
  | { readonly kind: "refused"; readonly reason: string }
  | {
    readonly kind: "lost";
    /** When the last word came, ms since 1970 by the clock of this machine. */
    readonly since: number;
    readonly now: number;
  };

/** The pill in the bar, and the notice on the map. */
export class Pill {
  readonly #pill = byId("div", "pill");
  readonly #title = byId("strong", "pill-title");
  readonly #detail = byId("span", "pill-detail");
  readonly #notice = byId("p", "notice");
  #said = "";

  /** Shows another state. */
  update(state: LinkState): void {
    const { look, title, detail = "", notice, grave = false } = wordsOf(state);
    // Said once: the seconds that follow are for the eye.
    if (title !== this.#said && this.#said !== "") announce(notice ?? title);
    this.#said = title;
    this.#pill.dataset["state"] = look;
    setText(this.#title, title);
    setText(this.#detail, detail && `· ${detail}`);
    this.#notice.hidden = notice === undefined;
    this.#notice.dataset["kind"] = grave ? "bad" : "warn";
    setText(this.#notice, notice ?? "");
    document.body.classList.toggle("lost", grave);
  }
}

interface Words {
  readonly look: "connecting" | "live" | "warn" | "lost";
  readonly title: string;
  readonly detail?: string;
  readonly notice?: string;
  /** Whether nothing on the page is live. */
  readonly grave?: boolean;
}

function wordsOf(state: LinkState): Words {
  switch (state.kind) {
    case "connecting":
      return { look: "connecting", title: "Connecting" };
    case "live": {
      const { hertz, lag } = state;
      const rate = hertz === 0 ? "no changes" : `${hertz} Hz`;
      return {
        look: "live",
        title: "Live",
        detail: lag === undefined ? rate : `${rate} · ${lagWords(lag)} behind`,
      };
    }
    case "no-broker":
      return {
        look: "warn",
        title: "No broker",
        detail: `since ${clock(state.since)}`,
        notice: `The server has lost its broker: nothing new has come since ${
          clock(state.since)
        }. It keeps trying.`,
      };
    case "store":
      return {
        look: "warn",
        title: "Nothing new is kept",
        notice:
          `The server cannot store what arrives: ${state.problem}. It keeps trying.`,
      };
    case "refused":
      return {
        look: "lost",
        title: "Not connected",
        notice: state.reason,
        grave: true,
      };
    case "lost":
      return {
        look: "lost",
        title: "Lost",
        detail: `for ${span(state.now - state.since)} · retrying`,
        notice: `No connection since ${
          clock(state.since)
        }: this is the map as it was then. Trying again.`,
        grave: true,
      };
  }
}

function lagWords(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
