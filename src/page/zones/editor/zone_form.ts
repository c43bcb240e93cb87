/// <reference lib="dom" />
/**
 * The form of the selected zone: its properties, the selected corner, and what
 * it covers.
 *
 * @module
 */

import { el, setText } from "../../elements/dom.ts";
import { formatCount } from "../../elements/format.ts";
import { ICONS } from "../../elements/icons.ts";
import { countCells } from "./cells_covered.ts";
import {
  type OccupiedKind,
  titleOf,
  type ZoneDraft,
  type ZoneFields,
} from "./draft.ts";
import { EDITOR_ICONS } from "./editor_icons.ts";
import { createButton, Field, Segments } from "./fields.ts";
import type { ProblemPlace, ZoneProblem } from "./problems.ts";
import {
  type CornerPath,
  cornersOf,
  countHoles,
  positionOf,
} from "./shapes.ts";
import type { Position } from "../../../zones/zone.ts";

/** What the person does with the form. */
export interface FormActions {
  /** Changes properties of the selected zone. @param label of the step */
  change(fields: Partial<ZoneFields>, label: string): void;
  /** The next letter is a step of its own. */
  endChange(): void;
  moveCorner(to: Position): void;
  addCorner(): void;
  removeCorner(): void;
  removeHole(): void;
  copy(): void;
  remove(): void;
  /** Selects nothing. */
  close(): void;
}

/** What the form shows. */
export interface FormState {
  readonly zone: ZoneDraft;
  /** As it is saved; undefined for a new zone. */
  readonly saved: ZoneDraft | undefined;
  readonly isUnsaved: boolean;
  readonly problems: readonly ZoneProblem[];
  readonly corner: CornerPath | undefined;
  readonly layers: readonly string[];
  /** What values count, such as `people`. */
  readonly unit: string;
  /** The state of the zone as it is saved; undefined for a new one. */
  readonly live: LiveTexts | undefined;
  readonly isReadOnly: boolean;
}

/** The state of a zone in words. */
export interface LiveTexts {
  /** Such as `Occupied`. */
  readonly look: string;
  /** Such as `12 of 40 people`. */
  readonly count: string;
}

type FieldName = Exclude<keyof ZoneFields, "occupiedKind">;

const STEPS: Readonly<Record<FieldName, string>> = {
  title: "Change title",
  name: "Rename",
  layer: "Change layer",
  capacity: "Change capacity",
  occupiedLeast: "Change occupied when",
  clearAfter: "Change clear after",
  staleAfter: "Change stale after",
};

/** The form. */
export class ZoneForm {
  readonly element: HTMLElement;
  readonly #title = el("h2", { id: "zone-form-title" });
  readonly #badge = el("span", { class: "unsaved" }, "Unsaved");
  readonly #outline = el("p", {
    id: "zone-outline-problem",
    class: "problem",
    role: "alert",
  });
  readonly #fieldset: HTMLFieldSetElement;
  readonly #fields: Readonly<Record<FieldName, Field>>;
  readonly #kind: Segments<OccupiedKind>;
  readonly #layers = el("datalist", { id: "edit-layers" });
  readonly #corner: CornerFields;
  readonly #covered = createStat("Cells covered");
  readonly #live = createStat("Now, as saved");

  constructor(actions: FormActions) {
    this.#fields = createFields();
    for (const [name, field] of Object.entries(this.#fields)) {
      const { input } = field;
      input.addEventListener("input", () => {
        const step = STEPS[name as FieldName];
        actions.change({ [name]: input.value }, step);
      });
      input.addEventListener("blur", () => actions.endChange());
    }
    this.#kind = new Segments<OccupiedKind>(
      "zone-occupied-kind",
      "Occupied when at least",
      [["cells", "Cells"], ["count", "Count"], ["percent", "Percent"]],
      (occupiedKind) =>
        actions.change({ occupiedKind }, "Change occupied when"),
    );
    this.#corner = new CornerFields(actions);
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Deselect the zone",
      title: "Deselect (Esc)",
    }, ICONS.close());
    close.addEventListener("click", () => actions.close());
    const fields = this.#fields;
    const pair = (...content: Node[]) =>
      el("div", { class: "pair" }, ...content);
    this.#fieldset = el(
      "fieldset",
      { class: "plain" },
      fields.title.element,
      fields.name.element,
      pair(fields.layer.element, fields.capacity.element),
      this.#layers,
      this.#kind.element,
      fields.occupiedLeast.element,
      pair(fields.clearAfter.element, fields.staleAfter.element),
      this.#corner.element,
    );
    this.element = el(
      "section",
      {
        class: "panel zone-form",
        "aria-labelledby": "zone-form-title",
      },
      el("header", {}, this.#title, this.#badge, close),
      this.#outline,
      this.#fieldset,
      el("dl", { class: "stats" }, this.#covered.element, this.#live.element),
      el(
        "div",
        { class: "buttons" },
        createButton("Copy", EDITOR_ICONS.copy(), actions.copy),
        createButton("Delete", EDITOR_ICONS.remove(), actions.remove, {
          class: "edit-button danger",
        }),
      ),
    );
  }

  /** Shows a zone. */
  update(state: FormState): void {
    const { zone, saved, problems, isReadOnly, layers } = state;
    setText(this.#title, titleOf(zone));
    this.#badge.hidden = !state.isUnsaved;
    this.#fieldset.disabled = isReadOnly;
    for (const button of this.element.querySelectorAll(".buttons button")) {
      (button as HTMLButtonElement).disabled = isReadOnly;
    }
    const problemAt = (place: ProblemPlace) =>
      problems.find((problem) => problem.place === place)?.text;
    for (const [name, field] of Object.entries(this.#fields)) {
      field.value = zone.fields[name as FieldName];
      field.problem = problemAt(name as FieldName);
    }
    const outline = problemAt("outline");
    if (this.#outline.textContent !== (outline ?? "")) {
      setText(this.#outline, outline ?? "");
    }
    this.#outline.hidden = outline === undefined;
    this.#kind.value = zone.fields.occupiedKind;
    this.#fields.occupiedLeast.unit = unitOf(zone.fields, state.unit);
    this.#fields.capacity.unit = state.unit;
    this.#fields.name.hint = nameHint(zone, saved);
    if (layers.join() !== this.#layers.dataset["names"]) {
      this.#layers.dataset["names"] = layers.join();
      this.#layers.replaceChildren(
        ...layers.map((value) => el("option", { value })),
      );
    }
    this.#corner.update(zone, state.corner);
    const cells = countCells(zone.polygons);
    const before = saved && countCells(saved.polygons);
    this.#covered.set(
      cells === undefined ? "many" : formatCount(cells),
      cells === 0
        ? "no centre of a cell is inside"
        : before === undefined || before === cells
        ? ""
        : `was ${formatCount(before)}`,
    );
    const { look, count } = state.live ?? { look: "–", count: "not saved yet" };
    this.#live.set(look, count);
  }

  /** Moves the focus to the field with the first problem, or to the title. */
  focus(place?: ProblemPlace): void {
    const name = place === undefined || place === "outline" ? "title" : place;
    const { input } = this.#fields[name];
    input.focus();
    input.select();
  }
}

/** The selected corner: its number, its position, and what to do with it. */
class CornerFields {
  readonly element: HTMLDivElement;
  readonly #title = el("strong");
  readonly #holes = el("span");
  readonly #x: Field;
  readonly #y: Field;
  readonly #body: HTMLDivElement;
  readonly #none = el(
    "p",
    { class: "hint" },
    "Select a corner on the map, or press Tab there, to type its position.",
  );
  readonly #removeHole: HTMLButtonElement;

  constructor(actions: FormActions) {
    this.#x = new Field("corner-x", "Corner x", "", { inputmode: "decimal" });
    this.#y = new Field("corner-y", "Corner y", "", { inputmode: "decimal" });
    const apply = () => {
      const [x, y] = [this.#x, this.#y].map((field) => {
        const isNumber = /^\s*[-−]?\d+(?:\.\d+)?\s*$/.test(field.value);
        field.problem = isNumber ? undefined : "Not a number.";
        return isNumber ? Number(field.value.replace("−", "-")) : NaN;
      });
      if (Number.isFinite(x) && Number.isFinite(y)) {
        actions.moveCorner([x!, y!]);
      }
    };
    for (const { input } of [this.#x, this.#y]) {
      input.addEventListener("change", apply);
    }
    this.#removeHole = createButton(
      "Remove hole",
      undefined,
      actions.removeHole,
    );
    this.#body = el(
      "div",
      {},
      el("div", { class: "pair" }, this.#x.element, this.#y.element),
      el(
        "div",
        { class: "buttons" },
        createButton("Add", undefined, actions.addCorner, {
          "aria-label": "Add corner",
          title: "In the middle of the edge that follows (Insert)",
        }),
        createButton("Remove", undefined, actions.removeCorner, {
          "aria-label": "Remove corner",
          title: "Delete",
        }),
        this.#removeHole,
      ),
    );
    this.element = el(
      "div",
      { class: "corner" },
      el("div", { class: "corner-head" }, this.#title, this.#holes),
      this.#body,
      this.#none,
    );
  }

  update({ polygons }: ZoneDraft, corner: CornerPath | undefined): void {
    const holes = countHoles(polygons);
    setText(
      this.#holes,
      holes === 0 ? "" : `${holes} ${holes === 1 ? "hole" : "holes"}`,
    );
    const all = cornersOf(polygons);
    this.#body.hidden = corner === undefined;
    this.#none.hidden = corner !== undefined;
    if (corner === undefined) {
      return setText(this.#title, `${all.length} corners`);
    }
    const [x, y] = positionOf(polygons, corner)!;
    setText(this.#title, cornerTitle(polygons, corner));
    this.#removeHole.hidden = corner.ring === 0;
    for (const [field, value] of [[this.#x, x], [this.#y, y]] as const) {
      if (document.activeElement !== field.input || field.value === "") {
        field.value = String(value);
      }
      if (Number(field.value) === value) field.problem = undefined;
    }
  }
}

/** Returns `Corner 4 of 6`, with the hole or the part in which it is. */
export function cornerTitle(
  polygons: ZoneDraft["polygons"],
  { polygon, ring, corner }: CornerPath,
): string {
  const count = polygons[polygon]![ring]!.length - 1;
  const where = ring > 0
    ? ` of hole ${ring}`
    : polygons.length > 1
    ? ` of part ${polygon + 1}`
    : "";
  return `Corner ${corner + 1} of ${count}${where}`;
}

function createFields(): Record<FieldName, Field> {
  const number = { inputmode: "decimal" };
  return {
    title: new Field("edit-title", "Title"),
    name: new Field("edit-name", "Name", "", { class: "mono" }),
    layer: new Field("edit-layer", "Layer", "", { list: "edit-layers" }),
    capacity: new Field("edit-capacity", "Capacity", "people", number),
    occupiedLeast: new Field("edit-least", "At least", "cells", number),
    clearAfter: new Field("edit-clear", "Clear after", "", {
      placeholder: "0s",
    }),
    staleAfter: new Field("edit-stale", "Stale after", "", {
      placeholder: "as the map",
    }),
  };
}

function unitOf({ occupiedKind, capacity }: ZoneFields, unit: string): string {
  switch (occupiedKind) {
    case "cells":
      return "cells occupied";
    case "count":
      return unit;
    case "percent":
      return capacity.trim() === "" ? "% of its cells" : "% of capacity";
  }
}

function nameHint(
  { fields: { name }, foreign }: ZoneDraft,
  saved: ZoneDraft | undefined,
): string {
  if (saved === undefined || saved.fields.name === name) {
    return `One topic level: …/zone/${name}`;
  }
  const entities = foreign?.members?.["id"] === undefined
    ? "Home Assistant keeps its entities unless the outline is changed too."
    : "Home Assistant keeps its entities.";
  return `Was ${saved.fields.name}. Its MQTT topic changes with its name. ${entities}`;
}

function createStat(name: string) {
  const value = el("strong");
  const note = el("span");
  return {
    element: el("div", {}, el("dt", {}, name), el("dd", {}, value, note)),
    set: (text: string, more: string) => {
      setText(value, text);
      setText(note, more);
    },
  };
}
