/// <reference lib="dom" />
/**
 * Maps keys to actions.
 *
 * @module
 */

/** The actions of the keys. */
export interface KeyActions {
  /** @param selecting whether Shift is held */
  arrow(right: number, down: number, selecting: boolean): void;
  zoom(direction: 1 | -1): void;
  fit(): void;
  goTo(): void;
  chooseLayer(): void;
  chooseZone(): void;
  nextTheme(): void;
  toggleBoxTool(): void;
  toggleCursor(): void;
  help(): void;
  /** @returns whether there was anything to close or clear */
  escape(): boolean;
  /**
   * A key that no element uses, before all other actions.
   *
   * @returns whether it has an action in the mode of the page
   */
  ofMode(event: KeyboardEvent): boolean;
}

const ARROWS: Record<string, readonly [right: number, down: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Elements that use the keys themselves. */
const KEY_CONSUMERS = "input, select, textarea, dialog";

/**
 * Listens for keys on the whole page. Arrow keys, Enter and Home work only
 * while the map or no element has the focus.
 *
 * @param letterKeys whether single characters are shortcuts; the user can turn
 * them off (WCAG 2.1.4), except plus and minus on the map
 */
export function listenToKeys(
  map: HTMLElement,
  actions: KeyActions,
  letterKeys: () => boolean,
): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element
      ? event.target
      : document.body;
    if (event.key === "Escape" && target.closest("dialog") === null) {
      if (actions.escape()) event.preventDefault();
      return;
    }
    if (target.closest(KEY_CONSUMERS)) return;
    if (actions.ofMode(event)) {
      event.preventDefault();
      return;
    }
    const onMap = target === document.body || target === map;
    const handled = onMap && handleMapKey(event, actions) ||
      letterKeys() && handleCharacter(event.key, actions);
    if (handled) event.preventDefault();
  });
}

/** @returns whether the key has an action */
function handleMapKey(
  { key, shiftKey }: KeyboardEvent,
  actions: KeyActions,
): boolean {
  const arrow = ARROWS[key];
  if (arrow) actions.arrow(...arrow, shiftKey);
  else if (key === "Enter") actions.toggleCursor();
  else if (key === "Home") actions.fit();
  else return handleZoomKey(key, actions);
  return true;
}

function handleZoomKey(key: string, actions: KeyActions): boolean {
  if (key === "+" || key === "=") actions.zoom(1);
  else if (key === "-" || key === "_") actions.zoom(-1);
  else return false;
  return true;
}

function handleCharacter(key: string, actions: KeyActions): boolean {
  if (key === "0") actions.fit();
  else if (key === "g") actions.goTo();
  else if (key === "l") actions.chooseLayer();
  else if (key === "z") actions.chooseZone();
  else if (key === "t") actions.nextTheme();
  else if (key === "b") actions.toggleBoxTool();
  else if (key === "c") actions.toggleCursor();
  else if (key === "?") actions.help();
  else return handleZoomKey(key, actions);
  return true;
}
