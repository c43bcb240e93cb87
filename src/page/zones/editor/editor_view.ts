/// <reference lib="dom" />
/**
 * The parts of the editor around the map: the bar, the forms, the list.
 *
 * @module
 */

import { nounOf, type Unit } from "../../../protocol/display.ts";
import { byId, el } from "../../elements/dom.ts";
import type { ZoneState } from "../../../zones/zone_state.ts";
import { describeCount, lookOf, titleOfLook } from "../zone_text.ts";
import { type BarActions, EditorBar } from "./editor_bar.ts";
import { findZone, type ZoneDraft } from "./draft.ts";
import type { EditorSession } from "./editor_session.ts";
import type { ProblemPlace } from "./problems.ts";
import { ShapeForm } from "./shape_form.ts";
import { SnapTip } from "./snap_tip.ts";
import type { Tool } from "./canvas_events.ts";
import { type FormActions, ZoneForm } from "./zone_form.ts";
import { ZonePicker } from "./zone_picker.ts";
import type { Ring } from "../../../zones/zone.ts";

/** What the person does with the parts. */
export interface ViewActions {
  readonly bar: BarActions;
  readonly form: FormActions;
  /** Adds a shape that was typed. */
  draw(ring: Ring, tool: Tool): void;
  /** Selects a zone in the list. */
  select(key: string): void;
  /** Begins a new zone. */
  create(): void;
}

/** What the parts show, apart from the session. */
export interface ViewState {
  /** The zones of the layer. */
  readonly zones: readonly ZoneDraft[];
  readonly unsaved: ReadonlySet<string>;
  readonly layers: readonly string[];
  readonly unit: Unit | undefined;
  readonly yUp: boolean;
  readonly tool: Tool;
  readonly snaps: boolean;
  readonly readOnly: string | undefined;
  readonly notice: string | undefined;
  /** The states of the saved zones, by name. */
  readonly states: ReadonlyMap<string, ZoneState>;
}

/** Describes the map to screen readers. */
const KEYS_ID = "zone-editor-keys";

/** The parts. Disposing them removes them from the page. */
export class EditorView {
  /** The text beside the pointer. */
  readonly tip = new SnapTip();
  readonly #bar: EditorBar;
  readonly #form: ZoneForm;
  readonly #shapeForm: ShapeForm;
  readonly #picker: ZonePicker;
  readonly #none = el(
    "section",
    { class: "panel zone-form" },
    el(
      "p",
      { class: "hint" },
      "Select a zone on the map or in the list, or draw a new one.",
    ),
  );
  readonly #map = byId("div", "map");
  readonly #describedBy = this.#map.getAttribute("aria-describedby");
  readonly #keys = el(
    "p",
    { id: KEYS_ID, class: "hidden" },
    "Page up and Page down select zones, Tab its corners. Arrow keys move the corner or the zone, Delete removes it. R draws a rectangle, Enter goes to the form. Press question mark for all keys.",
  );
  readonly #side = el("aside", { class: "zone-editor", "aria-label": "Zone" });

  constructor(actions: ViewActions) {
    this.#bar = new EditorBar(actions.bar);
    this.#form = new ZoneForm(actions.form);
    this.#shapeForm = new ShapeForm(actions.draw);
    this.#picker = new ZonePicker(actions.select, actions.create);
    this.#side.append(
      this.#shapeForm.element,
      this.#form.element,
      this.#none,
    );
    const content = document.querySelector(".content")!;
    content.before(this.#bar.element);
    content.append(this.#side, this.#picker.element);
    this.#map.parentElement!.append(this.tip.element);
    document.body.classList.add("editing-zones");
    this.#map.before(this.#keys);
    this.#map.setAttribute("aria-describedby", KEYS_ID);
  }

  /** Shows a session. */
  update(session: EditorSession, state: ViewState): void {
    const { zone, changes, problems, corner } = session;
    const { tool, unsaved, readOnly } = state;
    const isReadOnly = readOnly !== undefined;
    this.#bar.update({
      tool,
      snaps: state.snaps,
      canDrawHole: zone !== undefined,
      unsaved: changes.count,
      undoLabel: session.undoLabel,
      redoLabel: session.redoLabel,
      isSaving: session.isSaving,
      readOnly,
      notice: state.notice,
    });
    this.#picker.update({
      items: state.zones.map((one) => ({
        zone: one,
        isUnsaved: unsaved.has(one.key),
        hasProblem: problems.has(one.key),
        state: state.states.get(one.fields.name),
      })),
      selected: zone?.key,
      isReadOnly,
    });
    const draws = tool !== "select";
    this.#shapeForm.update(tool, state.yUp);
    this.#shapeForm.element.hidden = !draws;
    this.#form.element.hidden = draws || zone === undefined;
    this.#none.hidden = draws || zone !== undefined;
    if (zone === undefined) return;
    const saved = findZone(session.saved, zone.key);
    const live = saved && state.states.get(saved.fields.name);
    this.#form.update({
      zone,
      saved,
      isUnsaved: unsaved.has(zone.key),
      problems: problems.get(zone.key) ?? [],
      corner,
      layers: state.layers,
      unit: nounOf(2, state.unit),
      live: live && {
        look: titleOfLook(lookOf(live)),
        count: describeCount(live, state.unit),
      },
      isReadOnly,
    });
  }

  /** Moves the focus to a field of the form; default: to the title. */
  focusForm(place?: ProblemPlace): void {
    this.#form.focus(place);
  }

  /** Moves the focus to the form that draws by numbers. */
  focusShapeForm(): void {
    this.#shapeForm.focus();
  }

  dispose(): void {
    document.body.classList.remove("editing-zones");
    this.#keys.remove();
    if (this.#describedBy !== null) {
      this.#map.setAttribute("aria-describedby", this.#describedBy);
    }
    this.#bar.element.remove();
    this.#side.remove();
    this.#picker.element.remove();
    this.tip.element.remove();
  }
}

/**
 * Calls back when the theme of the page changes.
 *
 * @returns stops that
 */
export function watchTheme(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, {
    attributeFilter: ["data-theme"],
  });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", onChange);
  return () => {
    observer.disconnect();
    dark.removeEventListener("change", onChange);
  };
}
