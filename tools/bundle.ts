/**
 * `deno task bundle`: the whole program in one file, `dist/occupancy.js`.
 *
 * @module
 */
import { bundle } from "./bundle/bundle.ts";
import { commitOf } from "./commit.ts";
import { BUNDLE, DIST, ROOT, writeWhole } from "./places.ts";
import { runTool } from "./tool_error.ts";

/** Makes `dist/occupancy.js`, whole or not at all; returns its size in bytes. */
export async function makeBundle(): Promise<number> {
  const text = await bundle({ root: ROOT, commit: await commitOf(ROOT) });
  await Deno.mkdir(DIST, { recursive: true });
  await writeWhole(BUNDLE, text);
  return (await Deno.stat(BUNDLE)).size;
}

if (import.meta.main) {
  await runTool(async () => {
    const size = await makeBundle();
    console.log(`${BUNDLE}  ${Math.round(size / 1000)} kB`);
  });
}
