/**
 * The tests that run alone: one file after the other, after all other tests.
 * Two kinds belong here: those that measure time, memory or turns of the event
 * loop, and those that load the machine, so that tests beside them would
 * measure that load.
 *
 * @module
 */

/** Test files or folders, from the top of the checkout, with the reason. */
export const ALONE: Readonly<Record<string, string>> = {
  "tests/attacks/": "measure memory and times of answers under attack",
  "tests/cluster/": "run a Redis Cluster with three servers under load",
  "tests/fuzz/": "sends as fast as it can, and measures memory",
  "tests/http/feed/live_feed_test.ts": "measures that changes take 100 ms",
  "tests/http/feed/load_test.ts": "10,000 changes per second, and their lag",
  "tests/http/feed/zone_feed_test.ts": "measures that zones take 250 ms",
  "tests/http/zones/many_zones_test.ts": "measures turns of the event loop",
  "tests/page/map_test.ts": "measures that the map changes within 250 ms",
  "tests/page/zones/editor_draw_test.ts": "measures how late the list is",
  "tests/page/zones/zones_page_test.ts": "measures how late the list is",
  "tests/scenarios/frozen_readers_test.ts": "measures the slowest answer",
  "tests/scenarios/watch_load_test.ts": "100,000 changes per second",
};

/** Returns true if a test file, from the top of the checkout, runs alone. */
export function isAlone(file: string): boolean {
  return Object.keys(ALONE).some((path) =>
    path.endsWith("/") ? file.startsWith(path) : file === path
  );
}
