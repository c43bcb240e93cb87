/// <reference lib="dom" />
/**
 * What a person prefers, kept in the browser.
 *
 * @module
 */

/** What is kept. */
export type Preference = "palette" | "theme" | "letters";

/** A preference that was kept; undefined if none was, or the browser keeps nothing. */
export function preferred(name: Preference): string | undefined {
  try {
    return localStorage.getItem(`occupancy.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a preference, where the browser lets it. */
export function prefer(name: Preference, value: string): void {
  try {
    localStorage.setItem(`occupancy.${name}`, value);
  } catch {
    // Private windows may refuse: it holds until the page is left.
  }
}
