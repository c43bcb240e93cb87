/**
 * `deno task build`: bundles `src/page/` into the files that
 * `src/http/dashboard/mod.ts` embeds. The same sources give the same bytes on
 * every machine. The built files are committed, and a test checks that they are
 * up to date.
 *
 * @module
 */
import { AppError } from "../src/common/errors.ts";
import { ROOT, runTool } from "./tool.ts";

const SOURCES = "src/page/";
const BUILT_FOLDER = "src/http/dashboard/built/";

/** The files of a build. */
export const BUILT = [
  "app.js",
  "later.js",
  "shared.js",
  "app.css",
  "later.css",
  "index.html",
  "login.html",
  "icon.svg",
] as const;

/**
 * Builds the page.
 *
 * @param folder where to write the files, with a slash at the end; created if
 * it does not exist
 * @throws {AppError} if the bundler fails; the message has its output
 */
export async function buildPage(folder: string): Promise<void> {
  const sources = ROOT + SOURCES;
  await Deno.mkdir(folder, { recursive: true });
  await bundleScripts(folder);
  await joinStyles(`${sources}css/`, `${folder}app.css`);
  await joinStyles(`${sources}css/later/`, `${folder}later.css`);
  for (const name of ["index.html", "login.html", "icon.svg"]) {
    await Deno.copyFile(sources + name, folder + name);
  }
}

/**
 * Bundles the scripts: the page, what it loads when it is needed (the editor of
 * zones and the views of the past), and what both need.
 *
 * @param folder where to write them, with a slash at the end
 */
async function bundleScripts(folder: string): Promise<void> {
  const temporary = await Deno.makeTempDir();
  try {
    await bundle(temporary);
    const names = [...Deno.readDirSync(temporary)].map(({ name }) => name);
    const others = names.filter((name) => name !== "main.js");
    const shared = others.filter((name) => name.startsWith("chunk-"));
    const later = others.filter((name) => !name.startsWith("chunk-"));
    if (shared.length !== 1 || later.length !== 1) {
      throw new AppError(
        "bundle-failed",
        `The bundle of the page has other parts than expected: ${names.join()}`,
        { hint: "tools/build_page.ts names the parts, and serves those." },
      );
    }
    const parts = [
      ["main.js", "app.js"],
      [later[0]!, "later.js"],
      [shared[0]!, "shared.js"],
    ] as const;
    for (const [from, to] of parts) {
      const text = await Deno.readTextFile(`${temporary}/${from}`);
      const renamed = parts.reduce(
        (result, [old, name]) => result.replaceAll(`"./${old}"`, `"./${name}"`),
        text,
      );
      await Deno.writeTextFile(folder + to, renamed);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Joins the style sheets of a folder, in the order of their names. */
async function joinStyles(folder: string, to: string): Promise<void> {
  const names = [...Deno.readDirSync(folder)]
    .map(({ name }) => name).filter((name) => name.endsWith(".css")).sort();
  const styles = await Promise.all(
    names.map((name) => Deno.readTextFile(folder + name)),
  );
  await Deno.writeTextFile(to, minifyCss(styles.join("")));
}

async function bundle(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--lock",
      "--frozen",
      "--platform",
      "browser",
      "--minify",
      "--code-splitting",
      "--outdir",
      folder,
      `${SOURCES}main.ts`,
    ],
    // Relative to the root, so that no path of this machine is in the bundle.
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    const output = new TextDecoder().decode(stderr);
    throw new AppError("bundle-failed", `Cannot bundle the page: ${output}`);
  }
}

/** Removes comments and indentation. */
function minifyCss(css: string): string {
  return css.replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\n\s*/g, "\n")
    .replace(/\n+/g, "\n")
    .trimStart();
}

if (import.meta.main) {
  await runTool(async () => {
    await buildPage(ROOT + BUILT_FOLDER);
    console.error(`Built the page: ${BUILT_FOLDER}`);
  });
}
