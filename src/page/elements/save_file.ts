/// <reference lib="dom" />
/**
 * Saves files that the page has made.
 *
 * @module
 */

import { el } from "./dom.ts";

/** How long the browser may take to begin to read a file, ms. */
const READ_TIMEOUT_MS = 60_000;

/** Offers a file to the user, as a download. */
export function saveFile(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), READ_TIMEOUT_MS);
}

/**
 * Makes a picture of a canvas (PNG).
 *
 * @throws {Error} if the browser makes none
 */
export async function pictureOf(canvas: HTMLCanvasElement): Promise<Blob> {
  const blob = await new Promise<Blob | null>((resolve) =>
    canvas.toBlob(resolve, "image/png")
  );
  if (blob !== null) return blob;
  throw new Error(
    "The browser cannot make a picture this large. Make the window smaller.",
  );
}
