/**
 * Writes the kept texts anew, after a change that was meant:
 * `deno run --allow-write=tests tests/cli/kept/keep.ts`, then look at the diff.
 */
import { pictures, textOf } from "./pictures.ts";

const texts = Object.fromEntries(
  pictures().map((picture) => [picture.name, textOf(picture).split("\n")]),
);
await Deno.writeTextFile(
  new URL("./maps.json", import.meta.url),
  JSON.stringify(texts, null, 1) + "\n",
);
