/**
 * `deno task build`: bundles the page in `src/page/` into the files that
 * `src/http/dashboard/mod.ts` embeds. The same sources give the same bytes, on any machine: what is built is
 * committed, and a test holds that it is current.
 *
 * @module
 */

const TOP = new URL("../", import.meta.url);
const SOURCES = new URL("src/page/", TOP);
const BUILT_FOLDER = "src/http/dashboard/built/";

/** The files that a build makes. */
export const BUILT = ["app.js", "app.css", "index.html", "icon.svg"] as const;

/**
 * Builds the page.
 *
 * @param folder Where to; made if it is not there
 * @throws {Error} if it cannot be bundled; the message has what the bundler said
 */
export async function build(folder: URL): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await bundle(new URL("app.js", folder));
  const styles: string[] = [];
  const names = [...Deno.readDirSync(new URL("css/", SOURCES))]
    .map(({ name }) => name).filter((name) => name.endsWith(".css")).sort();
  for (const name of names) {
    styles.push(await Deno.readTextFile(new URL(`css/${name}`, SOURCES)));
  }
  await Deno.writeTextFile(new URL("app.css", folder), plain(styles.join("")));
  for (const name of ["index.html", "icon.svg"]) {
    await Deno.copyFile(new URL(name, SOURCES), new URL(name, folder));
  }
}

async function bundle(to: URL): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--lock",
      "--frozen",
      "--platform",
      "browser",
      "--minify",
      "--output",
      decodeURIComponent(to.pathname),
      decodeURIComponent(new URL("main.ts", SOURCES).pathname),
    ],
    // From the top, so that no path of this machine can get in.
    cwd: TOP,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot bundle the page: ${new TextDecoder().decode(stderr)}`,
    );
  }
}

/** Styles without comments and indents. */
function plain(css: string): string {
  return css.replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\n\s*/g, "\n")
    .replace(/\n+/g, "\n")
    .trimStart();
}

if (import.meta.main) {
  await build(new URL(BUILT_FOLDER, TOP));
  console.error(`Built the page: ${BUILT_FOLDER}`);
}
