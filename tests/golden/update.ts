/**
 * Rewrites the golden texts after an intended change:
 * `deno run --allow-all tests/golden/update.ts`. Check the diff.
 */
import { runAll } from "./commands.ts";
import { goldenMaps, textOf } from "./maps.ts";

await write(
  "maps.json",
  goldenMaps().map((map) => [map.name, textOf(map)]),
);
await write(
  "commands.json",
  (await runAll()).map(({ name, text }) => [name, text]),
);

async function write(
  file: string,
  texts: readonly (readonly [name: string, text: string])[],
): Promise<void> {
  const lines = texts.map(([name, text]) => [name, text.split("\n")]);
  await Deno.writeTextFile(
    new URL(`./${file}`, import.meta.url),
    JSON.stringify(Object.fromEntries(lines), null, 2) + "\n",
  );
}
