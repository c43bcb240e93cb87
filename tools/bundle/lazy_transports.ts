import type { Plugin } from "esbuild";

/** Where mqtt.js loads a transport, and how it is loaded when it is first used. */
const EAGER: Readonly<Record<string, readonly [RegExp, string]>> = {
  "index.js": [
    /protocols\.(\w+) = require\('(\.\/\w+)'\)\.(\w+);/g,
    "protocols.$1 = (...args) => require('$2').$3(...args);",
  ],
  "tcp.js": [
    /const socks_1 = __importDefault\(require\("\.\/socks"\)\);/g,
    'const socks_1 = { default: (...args) => require("./socks").default(...args) };',
  ],
};

/**
 * Loads mqtt.js' transports when they are used: without it, a connection over
 * TCP loads WebSockets, TLS, HTTP and SOCKS first, a tenth of what `request`
 * takes.
 *
 * It changes the text of two files of mqtt.js, whose version is pinned; if they
 * should look different one day, the bundle is not made.
 */
export function lazyTransports(): Plugin {
  return {
    name: "lazy-transports",
    setup(build) {
      const filter = /[\\/]mqtt[\\/]build[\\/]lib[\\/]connect[\\/]\w+\.js$/;
      build.onLoad({ filter }, async ({ path }) => {
        const change = EAGER[path.split(/[\\/]/).at(-1)!];
        if (change === undefined) return undefined;
        const text = await Deno.readTextFile(path);
        const changed = text.replaceAll(...change);
        if (changed !== text) return { contents: changed, loader: "js" };
        const message = "mqtt.js no longer loads its transports as it did";
        return {
          errors: [{ text: message, location: { file: path } }],
        };
      });
    },
  };
}
