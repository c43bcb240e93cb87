/**
 * What the page loads when it is needed first: most people only look at the
 * live map. One file, so that the page has three.
 *
 * @module
 */

export { ZoneEditor } from "./zones/editor/zone_editor.ts";
export { openHistory } from "./history/history_mode.ts";
