/// <reference lib="dom" />
/**
 * Reloads the page when it cannot continue: the server was updated, or the
 * token has changed.
 *
 * @module
 */

/** If a reload did not help, the next one waits for this time. */
const MIN_INTERVAL_MS = 60_000;
const STORED_TIME = "occupancy.reloaded";

/** Reloads the page, at most once a minute. */
export function reloadPage(): void {
  const now = Date.now();
  try {
    const last = Number(sessionStorage.getItem(STORED_TIME) ?? 0);
    if (Math.abs(now - last) < MIN_INTERVAL_MS) return;
    sessionStorage.setItem(STORED_TIME, String(now));
  } catch {
    return; // without storage it could reload forever
  }
  location.reload();
}
