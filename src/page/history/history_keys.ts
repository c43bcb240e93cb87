/// <reference lib="dom" />
/**
 * The keys of the history.
 *
 * @module
 */

/** What a key does. */
export type KeyAction =
  | { readonly kind: "play" | "live" | "start" | "end" }
  | { readonly kind: "step"; readonly minutes: number };

const STEP_MINUTES = 1;
const LONG_STEP_MINUTES = 15;
/** Elements that use Space or arrows themselves. */
const SPACE_USERS = "button, a, summary, [role='tab']";
const ARROW_USERS = "#map, [role='tablist'], .time-bar details";
/** Lists use Home and End; on the map, Home shows the whole layer. */
const END_USERS = "#map, ul, ol, .zones-scroll";

/**
 * Returns what a key does; undefined: nothing. While the map has the focus, the
 * arrow keys move it.
 */
export function keyAction(event: KeyboardEvent): KeyAction | undefined {
  const { key, shiftKey, target } = event;
  const uses = (selector: string) =>
    target instanceof Element && target.closest(selector) !== null;
  if (key === " " && !uses(SPACE_USERS)) return { kind: "play" };
  if (key === "ArrowLeft" || key === "ArrowRight") {
    if (uses(ARROW_USERS)) return undefined;
    const minutes = shiftKey ? LONG_STEP_MINUTES : STEP_MINUTES;
    return { kind: "step", minutes: key === "ArrowLeft" ? -minutes : minutes };
  }
  if ((key === "Home" || key === "End") && !uses(END_USERS)) {
    return { kind: key === "Home" ? "start" : "end" };
  }
  return key === "l" || key === "L" ? { kind: "live" } : undefined;
}
