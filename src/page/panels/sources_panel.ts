/// <reference lib="dom" />
/**
 * The sources of readings: which report, which are silent, and which readings
 * were refused.
 *
 * @module
 */

import type { SourceList } from "../../protocol/sources.ts";
import { byId, setText } from "../elements/dom.ts";
import { formatDuration, formatQuantity } from "../elements/format.ts";
import { fetchSources } from "../feed/requests.ts";
import { FootTabs } from "./foot_tabs.ts";
import { SourcesTable } from "./sources_table.ts";

/** Sources that the table has at most; the search finds others. */
const MAX_ROWS = 200;
/** How often the table is updated. */
const UPDATE_INTERVAL_MS = 2000;
/** How often the number of silent sources is updated while it is hidden. */
const HIDDEN_INTERVAL_MS = 10_000;

/** The tab with the sources. */
export class SourcesPanel {
  readonly #tabs = new FootTabs(() => this.#update());
  readonly #table = new SourcesTable();
  readonly #view = byId("div", "sources-view");
  readonly #search = byId("input", "sources-search");
  readonly #summary = byId("span", "sources-summary");
  readonly #badge = byId("span", "sources-silent");
  readonly #note = byId("p", "sources-note");
  #request: AbortController | undefined;
  /** When the last answer arrived or failed, by `performance.now()`. */
  #updated = -Infinity;
  #list: SourceList | undefined;
  #listAt = 0;

  constructor() {
    this.#search.addEventListener("input", () => this.#update());
  }

  /** Call once a second: updates the ages, and the list if it is time. */
  tick(): void {
    if (document.hidden || !this.#isDisplayed) return;
    const now = performance.now();
    this.#showAges(now);
    const interval = this.#isOpen ? UPDATE_INTERVAL_MS : HIDDEN_INTERVAL_MS;
    if (this.#request === undefined && now - this.#updated >= interval) {
      this.#update();
    }
  }

  get #isOpen(): boolean {
    return this.#tabs.selected === "sources";
  }

  /** False in a kiosk. */
  get #isDisplayed(): boolean {
    return byId("section", "foot-panel").offsetParent !== null;
  }

  /** Requests the list, instead of a request that is not answered yet. */
  #update(): void {
    this.#request?.abort();
    const request = this.#request = new AbortController();
    const isOpen = this.#isOpen;
    fetchSources({
      limit: isOpen ? MAX_ROWS : 1,
      contains: isOpen ? this.#search.value.trim() : "",
    }, request.signal).then(
      (list) => {
        if (this.#request === request) this.#show(list, isOpen);
      },
      (error) => {
        if (this.#request === request) this.#fail(error);
      },
    );
  }

  #complete(): void {
    this.#request = undefined;
    this.#updated = performance.now();
  }

  #show(list: SourceList, isOpen: boolean): void {
    this.#complete();
    const { silent, total, silentAfter } = list;
    this.#badge.hidden = silent === 0;
    setText(this.#badge, `${silent} silent`);
    const parts = [
      formatQuantity(total, "source"),
      ...(silentAfter === undefined ? [] : [
        `${silent} silent for more than ${formatDuration(silentAfter)}`,
      ]),
    ];
    setText(this.#summary, parts.join(" · "));
    if (!isOpen) return;
    this.#list = list;
    this.#listAt = performance.now();
    this.#view.classList.remove("failed");
    this.#table.show(list);
    this.#showAges(this.#listAt);
  }

  #fail(error: unknown): void {
    this.#complete();
    if (!this.#isOpen) return;
    this.#view.classList.add("failed");
    const reason = error instanceof Error ? error.message : String(error);
    setText(this.#note, `The list is not up to date. ${reason}.`);
  }

  #showAges(now: number): void {
    const list = this.#list;
    if (list === undefined || !this.#isOpen) return;
    const time = list.time + now - this.#listAt;
    this.#table.showAges(time);
    if (this.#view.classList.contains("failed")) return;
    setText(this.#note, noteOf(list, this.#search.value.trim()));
  }
}

/** Explains what is not in the table. */
function noteOf(list: SourceList, search: string): string {
  const { sources, total, silentAfter, unnamed, unlisted } = list;
  const notes: string[] = [];
  if (total === 0) {
    notes.push(
      'No reading has named its source since the server started. Add "source" to readings in JSON, or use occupancy client --source NAME.',
    );
  } else if (sources.length === 0) {
    notes.push(`No source has ${search} in its name.`);
  } else if (sources.length === MAX_ROWS) {
    notes.push(`These are the first ${MAX_ROWS}: search for others.`);
  }
  if (unnamed !== undefined) {
    const count = formatQuantity(unnamed.readings, "reading");
    notes.push(`${count} without a source.`);
  }
  if (unlisted !== undefined) {
    const count = formatQuantity(unlisted.readings, "reading");
    notes.push(`${count} of sources that are one too many for the list.`);
  }
  if (silentAfter === undefined && total > 0) {
    notes.push(
      "The server marks no source as silent: start it with --silent-after 10m, for example.",
    );
  }
  return notes.join(" ");
}
