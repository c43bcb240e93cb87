/// <reference lib="dom" />
/**
 * The panel of the selected zone: its state, since when, how full it is, its
 * cells, a link to it, and the command that prints it.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { CommandBox } from "../elements/command_box.ts";
import { type Access, zoneCommand } from "../elements/commands.ts";
import { byId, el, setText } from "../elements/dom.ts";
import {
  formatCount,
  formatDuration,
  formatSince,
} from "../elements/format.ts";
import { ICONS } from "../elements/icons.ts";
import {
  describeCells,
  fullnessOf,
  isLowerBound,
  lookOf,
  numbersOf,
  titleOfLook,
  zoneTitle,
} from "./zone_text.ts";

/** What the panel shows. */
export interface ShownZone {
  readonly name: string;
  /** Undefined if it is not known yet, or there is no such zone. */
  readonly state: ZoneState | undefined;
  /** Whether there is certainly no zone of this name. */
  readonly missing: boolean;
  readonly layerTitle: string;
  /** What the values count; undefined for people. */
  readonly unit: Unit | undefined;
  /** How the command reaches the broker; undefined if not known yet. */
  readonly access: Access | undefined;
  /** The server's clock, ms since 1970. */
  readonly now: number;
}

/** The panel, which is visible while a zone is selected. */
export class ZonePanel {
  readonly #panel = byId("section", "zone");
  readonly #title = el("h2", { id: "zone-title" });
  readonly #extent = el("p", { class: "extent" });
  readonly #state = el("strong", { class: "state" });
  readonly #since = el("span", { class: "since" });
  readonly #count = el("strong");
  readonly #of = el("span");
  readonly #percent = el("b");
  readonly #bar = el("i");
  readonly #note = el("p", { class: "bound" });
  readonly #details = el(
    "div",
    { class: "zone-state" },
    this.#state,
    el(
      "p",
      { class: "zone-count" },
      this.#count,
      " ",
      this.#of,
      " ",
      this.#percent,
    ),
    this.#since,
    el("div", { class: "meter", "aria-hidden": "true" }, this.#bar),
    this.#note,
  );
  readonly #edit = el(
    "button",
    { type: "button", class: "small", hidden: true },
    ICONS.edit(),
    "Edit",
  );
  /** Whether there is no such zone. */
  #missing = false;
  readonly #link = new CommandBox("Copy the link");
  readonly #command = new CommandBox();

  /** @param onClose called when the user closes the panel */
  constructor(onClose: () => void) {
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Close the zone",
      title: "Close (Esc)",
    }, ICONS.close());
    close.addEventListener("click", onClose);
    this.#panel.append(
      el("header", {}, this.#title, this.#edit, close),
      this.#extent,
      this.#details,
      el("h3", {}, "Share"),
      this.#link.element,
      this.#command.element,
    );
  }

  /** Called when the user wants to edit the zone; undefined: not possible. */
  set onEdit(onEdit: (() => void) | undefined) {
    this.#edit.onclick = onEdit ?? null;
    this.#edit.hidden = onEdit === undefined || this.#missing;
  }

  /** Shows a zone; undefined hides the panel. */
  update(zone: ShownZone | undefined): void {
    this.#panel.hidden = zone === undefined;
    if (zone === undefined) return;
    const { name, state, missing, layerTitle, access } = zone;
    this.#missing = missing;
    this.#edit.hidden = missing || this.#edit.onclick === null;
    setText(this.#title, state ? zoneTitle(state) : printable(name));
    setText(
      this.#extent,
      state
        ? [printable(name), layerTitle, describeCells(state)].join(" · ")
        : missing
        ? "There is no zone of this name. It may have been renamed or deleted."
        : "Loading",
    );
    this.#details.hidden = state === undefined;
    if (state) this.#showState(state, zone);
    this.#link.command = missing
      ? undefined
      : { line: linkTo(name), note: undefined };
    this.#command.command = missing || access === undefined
      ? undefined
      : zoneCommand(name, access);
  }

  #showState(state: ZoneState, { unit, now }: ShownZone): void {
    const look = lookOf(state);
    this.#details.dataset["look"] = look;
    setText(this.#state, titleOfLook(look));
    setText(
      this.#since,
      `since ${formatSince(state.since, now)} · ${
        formatDuration(now - state.since)
      }`,
    );
    const bound = isLowerBound(state);
    this.#details.classList.toggle("bound", bound);
    const { count, percent } = numbersOf(state);
    const { capacity } = state;
    const isUnknown = look === "unknown";
    setText(this.#count, isUnknown ? "?" : count);
    setText(
      this.#of,
      isUnknown
        ? capacity === undefined
          ? ""
          : `of ${formatCount(capacity)} ${nounOf(capacity, unit)}`
        : capacity === undefined
        ? nounOf(state.count, unit)
        : `of ${formatCount(capacity)} ${nounOf(capacity, unit)}`,
    );
    setText(this.#percent, isUnknown ? "" : percent);
    this.#bar.style.width = `${fullnessOf(state)}%`;
    this.#note.hidden = !bound && !isUnknown;
    setText(this.#note, isUnknown ? WHY_UNKNOWN : WHY_BOUND);
  }
}

const WHY_BOUND =
  "At least: cells that are stale or unknown are not counted, and may be occupied.";
const WHY_UNKNOWN = "No cell of this zone has a reading that is known and new.";

/** The address that shows a zone. */
function linkTo(name: string): string {
  const url = new URL(document.baseURI);
  url.hash = "";
  url.search = `?${new URLSearchParams({ zone: name })}`;
  return url.href;
}
