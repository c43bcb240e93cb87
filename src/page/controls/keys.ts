/// <reference lib="dom" />
/**
 * The keyboard.
 *
 * @module
 */

/** What keys do. */
export interface KeyActions {
  /** @param selecting Whether Shift is held: the selection grows from the cursor */
  arrow(right: number, down: number, selecting: boolean): void;
  zoom(direction: 1 | -1): void;
  fit(): void;
  goTo(): void;
  layer(): void;
  theme(): void;
  boxTool(): void;
  cursor(): void;
  help(): void;
  /** @returns whether there was anything to take away */
  escape(): boolean;
}

const ARROWS: Record<string, readonly [right: number, down: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** In these, keys are for writing and choosing. */
const TYPING = "input, select, textarea, dialog";

/**
 * Listens for keys all over the page, but where something else uses them.
 *
 * @param map Arrow keys and Enter are meant for the map only here, or when nothing has the focus
 * @param letters Whether single letters are shortcuts (WCAG 2.1.4: one can turn them off)
 */
export function listenToKeys(
  map: HTMLElement,
  actions: KeyActions,
  letters: () => boolean,
): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape" && at.closest("dialog") === null) {
      if (actions.escape()) event.preventDefault();
      return;
    }
    if (at.closest(TYPING)) return;
    const done = onMap(at, map)
      ? mapKey(event, actions) || letters() && letterKey(event.key, actions)
      : letters() && letterKey(event.key, actions);
    if (done) event.preventDefault();
  });
}

function onMap(at: Element, map: HTMLElement): boolean {
  return at === document.body || at === map;
}

function mapKey({ key, shiftKey }: KeyboardEvent, to: KeyActions): boolean {
  const arrow = ARROWS[key];
  if (arrow) to.arrow(...arrow, shiftKey);
  else if (key === "Enter") to.cursor();
  else if (key === "+" || key === "=") to.zoom(1);
  else if (key === "-" || key === "_") to.zoom(-1);
  else if (key === "Home") to.fit();
  else return false;
  return true;
}

function letterKey(key: string, to: KeyActions): boolean {
  switch (key) {
    case "+":
    case "=":
      return done(to.zoom(1));
    case "-":
    case "_":
      return done(to.zoom(-1));
    case "0":
      return done(to.fit());
    case "g":
      return done(to.goTo());
    case "l":
      return done(to.layer());
    case "t":
      return done(to.theme());
    case "b":
      return done(to.boxTool());
    case "c":
      return done(to.cursor());
    case "?":
      return done(to.help());
    default:
      return false;
  }
}

function done(_: void): true {
  return true;
}
