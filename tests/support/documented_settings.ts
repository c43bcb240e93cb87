import { ROOT } from "./processes.ts";

/**
 * Reads the settings of Mosquitto that docs/OPERATIONS.md recommends, so that
 * tests check its guarantees with exactly these.
 *
 * @param folder replaces the folder of `persistence_location`
 */
export async function documentedSettings(folder: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}docs/OPERATIONS.md`);
  const block = /```conf\n([^]*?)```/.exec(text)?.[1];
  if (block === undefined) {
    throw new Error("docs/OPERATIONS.md has no block of Mosquitto's settings");
  }
  return block.split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) =>
      line.startsWith("persistence_location ")
        ? `persistence_location ${folder}/`
        : line
    );
}
