/**
 * The esbuild plugins of the bundle.
 *
 * @module
 */
import { isBuiltin } from "node:module";
import { basename } from "node:path";
import type { Plugin } from "esbuild";

const NAMESPACE = "builtin";

/** Used by every command (timers.ts); loading it takes less than 1 ms. */
const LOADED_AT_START = "node:timers";

/**
 * Loads Node's built-in modules when the code that imports them first runs.
 *
 * A bundler moves the `import "node:…"` of every command to the top of the
 * file, so that `--help` would load TLS, HTTP and SQLite: 60 ms. Here such a
 * module becomes a CommonJS wrapper, which runs with the command that uses it.
 */
export function lazyBuiltins(): Plugin {
  return {
    name: "lazy-builtins",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) => {
        // `events/`, with a slash at the end, is the npm package.
        if (!isBuiltin(path)) return undefined;
        const name = path.startsWith("node:") ? path : `node:${path}`;
        if (name === LOADED_AT_START) return { path: name, external: true };
        return {
          path: name,
          namespace: NAMESPACE,
          sideEffects: false,
        };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => ({
        contents: `module.exports = process.getBuiltinModule("${path}");`,
        loader: "js",
      }));
    },
  };
}

/**
 * Embeds files imported `with { type: "text" }` as strings and
 * `with { type: "bytes" }` as Uint8Arrays, as Deno does.
 */
export function embeddedFiles(): Plugin {
  return {
    name: "embedded-files",
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

/** Reduces an imported deno.json to its version. */
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
