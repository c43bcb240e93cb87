import { isBuiltin } from "node:module";
import type { Plugin } from "esbuild";

const NAMESPACE = "builtin";

/** Wanted by every command (timers.ts), and loaded in less than a millisecond. */
const AT_START = "node:timers";

/**
 * Loads Node's built-in modules when the code that imports them first runs.
 *
 * A bundler hoists the `import "node:…"` of every command to the top of its one
 * file, so that `--help` would load TLS, HTTP and SQLite: 60 ms of nothing.
 * Here such a module becomes a CommonJS wrapper, which esbuild runs with the
 * command that wants it.
 */
export function lazyBuiltins(): Plugin {
  return {
    name: "lazy-builtins",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) => {
        // A slash at the end means the npm package of that name: not built in.
        if (!isBuiltin(path)) return undefined;
        const name = path.startsWith("node:") ? path : `node:${path}`;
        if (name === AT_START) return { path: name, external: true };
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
