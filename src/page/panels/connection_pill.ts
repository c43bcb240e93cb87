/// <reference lib="dom" />
/**
 * Shows the connection state: the pill in the bar, and a notice on the map when
 * the data is not live.
 *
 * @module
 */

import { announce, byId, setText } from "../elements/dom.ts";
import {
  formatCount,
  formatDuration,
  formatSince,
} from "../elements/format.ts";
import type { ConnectionState } from "./connection_state.ts";
import type { PageTitle } from "./page_title.ts";

/** The pill and the notice. */
export class ConnectionPill {
  readonly #pill = byId("div", "pill");
  readonly #title = byId("strong", "pill-title");
  readonly #detail = byId("span", "pill-detail");
  readonly #notice = byId("p", "notice");
  readonly #pageTitle: PageTitle;
  #lastTitle = "";

  /** @param pageTitle shows when the data is not live */
  constructor(pageTitle: PageTitle) {
    this.#pageTitle = pageTitle;
  }

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
    this.#detail.title = detail; // where there is no room for all of it
    this.#notice.hidden = notice === undefined;
    this.#notice.dataset["kind"] = look === "lost" ? "bad" : "warn";
    setText(this.#notice, notice ?? "");
    document.body.classList.toggle("lost", look === "lost");
    const isLive = look === "live" || look === "connecting";
    this.#pageTitle.problem = isLive ? undefined : title;
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
      const rate = hertz === 0 ? "no changes" : `${formatCount(hertz)} Hz`;
      return {
        look: "live",
        title: "Live",
        detail: lag === undefined ? rate : `${rate} · ${formatLag(lag)} behind`,
      };
    }
    case "broker-down": {
      const since = formatSince(state.since, state.now);
      return {
        look: "warn",
        title: "No broker",
        detail: `since ${since}`,
        notice:
          `The server has had no MQTT broker since ${since} and is reconnecting. Readings over MQTT do not arrive; readings over HTTP do.`,
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
    case "unreachable":
      return {
        look: "lost",
        title: "Not connected",
        detail: "retrying",
        notice: `The page cannot open its live connection. ${state.reason}`,
      };
    case "lost":
      return {
        look: "lost",
        title: "Disconnected",
        detail: `${formatDuration(state.now - state.since)} · reconnecting`,
        notice: [
          `No connection to the server since ${
            formatSince(state.since, state.now)
          }. The map shows the last known state.`,
          ...(state.reason === undefined ? [] : [state.reason]),
        ].join(" "),
      };
  }
}

function formatLag(ms: number): string {
  return ms < 1000
    ? `${formatCount(Math.round(ms))} ms`
    : `${formatCount(ms / 1000)} s`;
}
