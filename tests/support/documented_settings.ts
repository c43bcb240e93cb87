import { ROOT } from "./processes.ts";

/**
 * Returns the first block of a language in a document.
 *
 * @param file such as `SECURITY.md`
 * @throws {Error} if it has none
 */
export async function documentedBlock(
  file: string,
  language: string,
): Promise<string> {
  const text = await Deno.readTextFile(`${ROOT}docs/${file}`);
  const block = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text)?.[1];
  if (block === undefined) {
    throw new Error(`docs/${file} has no block of ${language}`);
  }
  return block;
}

/**
 * Reads the settings of Mosquitto that docs/OPERATIONS.md recommends, so that
 * tests check its guarantees with exactly these.
 *
 * @param folder replaces the folder of `persistence_location`
 */
export async function documentedSettings(folder: string): Promise<string[]> {
  const block = await documentedBlock("OPERATIONS.md", "conf");
  return block.split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) =>
      line.startsWith("persistence_location ")
        ? `persistence_location ${folder}/`
        : line
    );
}
