/// <reference lib="dom" />
/**
 * The keys of the editor. They have precedence over those of the page.
 *
 * @module
 */

import type { Tool } from "./canvas_events.ts";

/** The actions of the keys. Each returns false if it does not apply. */
export interface EditorKeyActions {
  chooseTool(tool: Tool): boolean;
  toggleSnap(): boolean;
  /** Moves the selected corner or zone, in cells to the right and down. */
  move(right: number, down: number): boolean;
  /** Selects the next (1) or previous (-1) corner. */
  stepCorner(step: 1 | -1): boolean;
  /** Selects the next (1) or previous (-1) zone. */
  stepZone(step: 1 | -1): boolean;
  addCorner(): boolean;
  remove(): boolean;
  /** Removes the last corner of what is drawn. */
  removeLastPoint(): boolean;
  enter(): boolean;
  escape(): boolean;
  copy(): boolean;
  undo(): boolean;
  redo(): boolean;
  save(): boolean;
  help(): boolean;
  /** Moves the focus from a form to the map. */
  focusMap(): boolean;
}

const ARROWS: Readonly<
  Record<string, readonly [right: number, down: number]>
> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const TOOLS: Readonly<Record<string, Tool>> = {
  v: "select",
  r: "rectangle",
  p: "polygon",
  h: "hole",
};
/** Cells of a step with Shift. */
const LARGE_STEP = 10;
/** Fields that undo what was typed themselves. */
const TEXT_FIELDS = "input:not([type=radio]), textarea";

/**
 * Listens for keys on the whole page.
 *
 * @param map the map's element, on which most keys work
 * @param letterKeys whether single letters are shortcuts (WCAG 2.1.4)
 * @returns stops listening
 */
export function listenToEditorKeys(
  map: HTMLElement,
  actions: EditorKeyActions,
  letterKeys: () => boolean,
): () => void {
  const onKey = (event: KeyboardEvent) => {
    const target = event.target instanceof Element
      ? event.target
      : document.body;
    if (target.closest("dialog")) return;
    const onMap = target === document.body || target === map;
    const handled = event.altKey
      ? false
      : event.ctrlKey || event.metaKey
      ? handleControlKey(event, actions, target.matches(TEXT_FIELDS))
      : onMap
      ? handleMapKey(event, actions, letterKeys)
      : event.key === "Escape" && actions.focusMap();
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  };
  document.addEventListener("keydown", onKey, { capture: true });
  return () =>
    document.removeEventListener("keydown", onKey, { capture: true });
}

function handleControlKey(
  { key, shiftKey }: KeyboardEvent,
  actions: EditorKeyActions,
  isText: boolean,
): boolean {
  switch (key.toLowerCase()) {
    case "s":
      actions.save();
      return true; // not the browser's dialog, also if there is nothing to save
    case "z":
      return !isText && (shiftKey ? actions.redo() : actions.undo());
    case "y":
      return !isText && actions.redo();
    case "d":
      return !isText && actions.copy();
    default:
      return false;
  }
}

function handleMapKey(
  { key, shiftKey }: KeyboardEvent,
  actions: EditorKeyActions,
  letterKeys: () => boolean,
): boolean {
  const arrow = ARROWS[key];
  if (arrow) {
    const cells = shiftKey ? LARGE_STEP : 1;
    return actions.move(arrow[0] * cells, arrow[1] * cells);
  }
  switch (key) {
    case "Tab":
      return actions.stepCorner(shiftKey ? -1 : 1);
    case "PageDown":
      return actions.stepZone(1);
    case "PageUp":
      return actions.stepZone(-1);
    case "Insert":
      return actions.addCorner();
    case "Delete":
      return actions.remove();
    case "Backspace":
      return actions.removeLastPoint() || actions.remove();
    case "Enter":
      return actions.enter();
    case "Escape":
      return actions.escape();
  }
  if (!letterKeys()) return false;
  if (key === "?") return actions.help();
  if (key === "s") return actions.toggleSnap();
  const tool = TOOLS[key];
  return tool !== undefined && actions.chooseTool(tool);
}
