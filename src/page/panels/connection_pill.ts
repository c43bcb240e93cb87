/// <reference lib="dom" />
/**
 * Shows the connection state: the pill in the bar, and a notice on the map when
 * the data is not live.
 *
 * @module
 */

import { announce, byId, setText } from "../elements/dom.ts";
import { formatDuration, formatTime } from "../elements/format.ts";
import type { ConnectionState } from "./connection_state.ts";

/** The pill and the notice. */
export class ConnectionPill {
  readonly #pill = byId("div", "pill");
  readonly #title = byId("strong", "pill-title");
  readonly #detail = byId("span", "pill-detail");
  readonly #notice = byId("p", "notice");
  #lastTitle = "";

  /** Shows a state. */
  update(state: ConnectionState): void {
    const { look, title, detail = "", notice } = describeConnection(state);
    // Announced once, and not each second with the new duration.
    if (title !== this.#lastTitle && this.#lastTitle !== "") {
      announce(notice ?? title);
    }
    this.#lastTitle = title;
    this.#pill.dataset["state"] = look;
    setText(this.#title, title);
    setText(this.#detail, detail && `· ${detail}`);
    this.#notice.hidden = notice === undefined;
    this.#notice.dataset["kind"] = look === "lost" ? "bad" : "warn";
    setText(this.#notice, notice ?? "");
    document.body.classList.toggle("lost", look === "lost");
  }
}

interface ConnectionTexts {
  /** `warn`: the server is connected, but gets no new data. */
  readonly look: "connecting" | "live" | "warn" | "lost";
  readonly title: string;
  readonly detail?: string;
  readonly notice?: string;
}

function describeConnection(state: ConnectionState): ConnectionTexts {
  switch (state.kind) {
    case "connecting":
      return { look: "connecting", title: "Connecting" };
    case "live": {
      const { hertz, lag } = state;
      const rate = hertz === 0 ? "no changes" : `${hertz} Hz`;
      return {
        look: "live",
        title: "Live",
        detail: lag === undefined ? rate : `${rate} · ${formatLag(lag)} behind`,
      };
    }
    case "broker-down": {
      const since = formatTime(state.since);
      return {
        look: "warn",
        title: "No broker",
        detail: `since ${since}`,
        notice:
          `The server lost its MQTT broker at ${since} and is reconnecting. New readings do not arrive.`,
      };
    }
    case "store-failing":
      return {
        look: "warn",
        title: "Storage error",
        notice:
          `The server cannot store new readings and is retrying: ${state.problem}`,
      };
    case "refused":
      return { look: "lost", title: "Not connected", notice: state.reason };
    case "lost":
      return {
        look: "lost",
        title: "Disconnected",
        detail: `${formatDuration(state.now - state.since)} · reconnecting`,
        notice: `No connection to the server since ${
          formatTime(state.since)
        }. The map shows the last known state.`,
      };
  }
}

function formatLag(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
