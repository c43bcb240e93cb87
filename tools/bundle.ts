/**
 * `deno task bundle`: the whole program in one file, `dist/occupancy.js`.
 *
 * @module
 */
import { bundle } from "./bundle/bundle.ts";
import { commitOf } from "./commit.ts";
import { BUNDLE, DIST, ROOT, runTool, writeAtomically } from "./tool.ts";

/**
 * Makes `dist/occupancy.js`.
 *
 * @returns its size, bytes
 */
export async function makeBundle(): Promise<number> {
  const text = await bundle({ root: ROOT, commit: await commitOf(ROOT) });
  await Deno.mkdir(DIST, { recursive: true });
  await writeAtomically(BUNDLE, text);
  return (await Deno.stat(BUNDLE)).size;
}

if (import.meta.main) {
  await runTool(async () => {
    const size = await makeBundle();
    console.log(`${BUNDLE}  ${Math.round(size / 1000)} kB`);
  });
}
