import { fileURLToPath } from "node:url";

/** The top of the checkout, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../", import.meta.url));

/** Where what is built goes. */
export const DIST: string = `${ROOT}dist/`;

/** The bundle: the whole program in one JavaScript file. */
export const BUNDLE: string = `${DIST}occupancy.js`;

/**
 * Writes a file whole or not at all: under another name first, then renamed.
 *
 * @param path where it goes; its folder must be there
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.part`;
  try {
    await Deno.writeTextFile(temporary, text);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
