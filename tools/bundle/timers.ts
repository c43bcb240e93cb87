/**
 * The timers of bundled code. aedes needs Node's timers (`timer.refresh()`).
 * Deno gives those to npm packages only, and before Deno 2.8 the web's timers
 * to all other code; a bundle is one file, so all of it gets Node's.
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
