import { ROOT } from "../support/processes.ts";

/**
 * The settings of Mosquitto that docs/OPERATIONS.md tells people to use, so
 * that what it promises is what the tests try.
 *
 * @param folder where Mosquitto may keep its own file
 */
export async function documentedSettings(folder: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}docs/OPERATIONS.md`);
  const block = /```conf\n([^]*?)```/.exec(text)?.[1];
  if (block === undefined) {
    throw new Error("docs/OPERATIONS.md has no block of settings any more");
  }
  return block.split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) =>
      line.startsWith("persistence_location ")
        ? `persistence_location ${folder}/`
        : line
    );
}
