/// <reference lib="dom" />
/**
 * What the page loads when it is needed first: most people only look at the
 * live map. One file, so that the page has three, and its style sheet.
 *
 * @module
 */

export { ZoneEditor } from "./zones/editor/zone_editor.ts";
export { openHistory } from "./history/history_mode.ts";
export { openUtilisation } from "./utilisation/utilisation_mode.ts";

/** Loads the style sheet, so that nothing is shown without it. */
function loadStyles(): Promise<void> {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("./later.css", import.meta.url).href;
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () =>
      reject(
        new Error("A part of the page did not arrive. Reload the page."),
      ));
  });
}

await loadStyles();
