/**
 * Shares the turns of the event loop between works that take many of them, and
 * all else.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Time for such works in one turn of the event loop, in ms. */
const TURN_MS = 10;

/** Digested in about 20 µs, longer than the event loop takes to wait. */
const BYTES = new Uint8Array(16 * 1024);

/** In the order in which they are called. */
const waiting: (() => void)[] = [];
/** True until the end of the next turn of these works. */
let isScheduled = false;

/**
 * Calls back in a later turn of the event loop, after what has arrived on
 * sockets was noticed. For work that is divided into turns: all callbacks
 * together take about 10 ms of a turn.
 *
 * `setImmediate` does not do this: while one of its callbacks always waits, Deno
 * asks for what has arrived only once in 61 turns (the `event_interval` of its
 * runtime, tokio). With turns of 10 ms a socket would wait for 600 ms.
 *
 * @param callback takes at most some milliseconds
 * @param hasWork false if it only notices the turn: then it does not wait for
 * sockets, which would take longer than `setImmediate`
 */
export function nextTurn(callback: () => void, hasWork = true): void {
  if (!hasWork) {
    setImmediate(callback);
    return;
  }
  waiting.push(callback);
  schedule();
}

/**
 * Waits for a later turn of the event loop, as {@linkcode nextTurn} does. The
 * callbacks before were then called: those of works that have ended do nothing.
 */
export function untilNextTurn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/**
 * A digest is computed by another thread, and the event loop waits for it: then
 * it looks for all that has arrived. In all it takes about 70 µs, and needs no
 * permission. After it `setImmediate`, for one call in a turn.
 */
function schedule(): void {
  if (isScheduled || waiting.length === 0) return;
  isScheduled = true;
  void crypto.subtle.digest("SHA-1", BYTES).then(() => setImmediate(run));
}

function run(): void {
  const end = performance.now() + TURN_MS;
  let left = waiting.length;
  try {
    do {
      waiting.shift()!();
    } while (--left > 0 && performance.now() < end);
  } finally {
    isScheduled = false;
    schedule();
  }
}
