/// <reference lib="dom" />
/**
 * The bar of the editor: tools, undo, import, export, save.
 *
 * @module
 */

import { el, setText } from "../../elements/dom.ts";
import { plural } from "../../../common/plural.ts";
import { EDITOR_ICONS } from "./editor_icons.ts";
import { createButton } from "./fields.ts";
import type { Tool } from "./canvas_events.ts";

/** What the person does with the bar. */
export interface BarActions {
  chooseTool(tool: Tool): void;
  toggleSnap(): void;
  /** Ends the polygon that is drawn. */
  finish(): void;
  undo(): void;
  redo(): void;
  importFile(): void;
  exportFile(): void;
  showKeys(): void;
  save(): void;
  close(): void;
}

/** What the bar shows. */
export interface BarState {
  readonly tool: Tool;
  readonly snaps: boolean;
  /** Whether there is a zone in which a hole can be drawn. */
  readonly canDrawHole: boolean;
  readonly unsaved: number;
  readonly undoLabel: string | undefined;
  readonly redoLabel: string | undefined;
  readonly isSaving: boolean;
  /** Why the zones cannot be edited; undefined: they can. */
  readonly readOnly: string | undefined;
  /** What to know; undefined for nothing. */
  readonly notice: string | undefined;
}

/** What is shown while there is no news. */
const HINTS: Readonly<Record<Tool, string>> = {
  select:
    "Click a zone, then drag it, its corners, or the round handle of an edge to add a corner.",
  rectangle: "Drag, or click two opposite corners. Esc ends.",
  polygon: "Click the corners; click the first one again to finish. Esc ends.",
  hole:
    "Drag a rectangle in the selected zone, or click two corners. Esc ends.",
};

/** Only its icon is shown where the bar has no space for the text. */
const COMPACT = "edit-button compact";

/** The bar. */
export class EditorBar {
  readonly element: HTMLElement;
  readonly #badge = el("span", { class: "unsaved" });
  readonly #notice = el("p", { class: "edit-notice" });
  readonly #tools: ReadonlyMap<Tool, HTMLButtonElement>;
  readonly #snap: HTMLButtonElement;
  readonly #finish: HTMLButtonElement;
  readonly #undo: HTMLButtonElement;
  readonly #redo: HTMLButtonElement;
  readonly #import: HTMLButtonElement;
  readonly #save: HTMLButtonElement;

  constructor(actions: BarActions) {
    const tool = (name: Tool, text: string, hint: string) =>
      [
        name,
        createButton(
          text,
          EDITOR_ICONS[name](),
          () => actions.chooseTool(name),
          { title: hint },
        ),
      ] as const;
    this.#tools = new Map([
      tool("select", "Select", "Select, move and reshape zones (v)"),
      tool("rectangle", "Rectangle", "Draw a zone by two corners (r)"),
      tool("polygon", "Polygon", "Draw a zone corner by corner (p)"),
      tool("hole", "Hole", "Cut a rectangle out of the selected zone (h)"),
    ]);
    this.#snap = createButton("Snap", EDITOR_ICONS.snap(), actions.toggleSnap, {
      title: "Snap to cells and to other zones (s)",
    });
    this.#finish = createButton("Finish", EDITOR_ICONS.save(), actions.finish, {
      title: "Finish the polygon (Enter)",
    });
    this.#undo = createButton("Undo", EDITOR_ICONS.undo(), actions.undo, {
      class: COMPACT,
    });
    this.#redo = createButton("Redo", EDITOR_ICONS.redo(), actions.redo, {
      class: COMPACT,
    });
    this.#import = createButton(
      "Import",
      EDITOR_ICONS.import(),
      actions.importFile,
      {
        class: COMPACT,
        title: "Import: add zones of a GeoJSON file; or drop it on the page",
      },
    );
    this.#save = createButton("Save", undefined, actions.save, {
      class: "edit-button main",
      title: "Save (Ctrl S)",
    });
    this.element = el(
      "section",
      { class: "panel editor-bar", "aria-label": "Edit zones" },
      el(
        "div",
        { class: "row" },
        el("h2", {}, "Edit zones"),
        this.#badge,
        el("i", {}),
        el(
          "div",
          { class: "group", role: "group", "aria-label": "Tools" },
          ...this.#tools.values(),
          this.#finish,
        ),
        el("i", {}),
        this.#snap,
        el("i", {}),
        this.#undo,
        this.#redo,
        el(
          "div",
          { class: "group end" },
          createButton("Keys", EDITOR_ICONS.keys(), actions.showKeys, {
            class: "edit-button icon-only",
            title: "Keys of the editor (?)",
          }),
          this.#import,
          createButton(
            "Export",
            EDITOR_ICONS.export(),
            actions.exportFile,
            {
              class: COMPACT,
              title: "Export: download the zones as drawn, as GeoJSON",
            },
          ),
          this.#save,
          createButton("Close", undefined, actions.close, {
            title: "Close the editor",
          }),
        ),
      ),
      this.#notice,
    );
  }

  /** Shows a state. */
  update(state: BarState): void {
    const { tool, unsaved, undoLabel, redoLabel, readOnly } = state;
    const isReadOnly = readOnly !== undefined;
    for (const [name, button] of this.#tools) {
      button.setAttribute("aria-pressed", String(name === tool));
      button.disabled = isReadOnly && name !== "select" ||
        name === "hole" && !state.canDrawHole;
    }
    this.#finish.hidden = tool !== "polygon";
    this.#snap.setAttribute("aria-pressed", String(state.snaps));
    this.#snap.disabled = this.#import.disabled = isReadOnly;
    setText(this.#snap.querySelector("span")!, `Snap ${onOff(state.snaps)}`);
    this.#undo.disabled = undoLabel === undefined;
    this.#redo.disabled = redoLabel === undefined;
    this.#undo.title = `Undo${labelOf(undoLabel)} (Ctrl Z)`;
    this.#redo.title = `Redo${labelOf(redoLabel)} (Ctrl Y)`;
    this.#save.disabled = isReadOnly || unsaved === 0 || state.isSaving;
    setText(
      this.#badge,
      isReadOnly
        ? "Read-only"
        : unsaved === 0
        ? ""
        : `${plural(unsaved, "unsaved change")}`,
    );
    this.#badge.hidden = this.#badge.textContent === "";
    // Always a line, so that the map does not move when there is news.
    const news = state.notice ?? readOnly;
    setText(this.#notice, news ?? HINTS[tool]);
    this.#notice.classList.toggle("idle", news === undefined);
  }
}

function onOff(on: boolean): string {
  return on ? "on" : "off";
}

function labelOf(label: string | undefined): string {
  return label === undefined ? "" : `: ${label.toLowerCase()}`;
}
