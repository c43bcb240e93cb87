/**
 * Writes the kept texts anew, after a change that was meant:
 * `deno run --allow-all tests/golden/keep.ts`, then look at the diff.
 */
import { printAll } from "./commands.ts";
import { pictures, textOf } from "./pictures.ts";

await keep(
  "maps.json",
  pictures().map((picture) => [picture.name, textOf(picture)]),
);
await keep(
  "commands.json",
  (await printAll()).map(({ name, text }) => [name, text]),
);

async function keep(
  file: string,
  texts: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  const lines = texts.map(([name, text]) => [name, text.split("\n")]);
  await Deno.writeTextFile(
    new URL(`./${file}`, import.meta.url),
    JSON.stringify(Object.fromEntries(lines), null, 1) + "\n",
  );
}
