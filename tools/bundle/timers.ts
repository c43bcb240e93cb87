/**
 * The timers that bundled code gets. Deno gives the code of npm packages Node's
 * timers, which aedes wants (`timer.refresh()`), but before 2.8 everyone else
 * those of the web; in a bundle one cannot tell them apart.
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
