/// <reference lib="dom" />
/**
 * Tells a screen reader what others see.
 *
 * @module
 */

import { byId } from "./dom.ts";

/** Says a sentence when nothing else is being said (aria-live polite). */
export function announce(text: string): void {
  const region = byId("div", "announcer");
  // The same words again are news to a screen reader only if they differ.
  region.textContent = region.textContent === text ? `${text}\u00a0` : text;
}
