/**
 * The timers of bundled code. Packages need Node's timers (`timer.unref()`).
 * Before version 2.8 Deno gives them to npm packages only; other code gets the
 * web's timers. A bundle is not an npm package: this module gives it Node's.
 *
 * @module
 */
export {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
} from "node:timers";
