import { basename } from "node:path";
import type { Plugin } from "esbuild";

/**
 * Embeds what is imported `with { type: "text" }` as a string and
 * `with { type: "bytes" }` as a Uint8Array, as Deno does, so that a program
 * that carries a page needs no file beside it.
 */
export function embedded(): Plugin {
  return {
    name: "embedded",
    setup(build) {
      build.onLoad({ filter: /.*/ }, async ({ path, with: { type } }) => {
        if (type !== "text" && type !== "bytes") return undefined;
        return {
          contents: await Deno.readFile(path),
          loader: type === "text" ? "text" : "binary",
        };
      });
    },
  };
}

/** Of deno.json only the version goes into the program, not its tasks. */
export function manifestVersion(): Plugin {
  return {
    name: "manifest-version",
    setup(build) {
      build.onLoad({ filter: /deno\.json$/ }, async ({ path }) => {
        if (basename(path) !== "deno.json") return undefined;
        const { version } = JSON.parse(await Deno.readTextFile(path));
        return { contents: JSON.stringify({ version }), loader: "json" };
      });
    },
  };
}
