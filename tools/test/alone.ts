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
  "tests/attacks/http_answers_test.ts": "measures memory and times of answers",
  "tests/attacks/http_bodies_test.ts": "measures memory",
  "tests/attacks/idle_connections_test.ts": "opens more than 1,000 connections",
  "tests/attacks/large_payloads_test.ts": "counts turns beside large messages",
  "tests/attacks/memory_test.ts": "attacks with all that the machine has",
  "tests/attacks/requests_test.ts": "measures turns and times of answers",
  "tests/attacks/scattered_cells_test.ts": "fills the memory of servers",
  "tests/attacks/shutdown_test.ts": "measures the end of a loaded server",
  "tests/attacks/websocket_messages_test.ts": "sends as fast as it can",
  "tests/cluster/": "run a Redis Cluster with three servers under load",
  "tests/fuzz/": "sends as fast as it can, and measures memory",
  "tests/http/feed/live_feed_test.ts": "measures that changes take 100 ms",
  "tests/http/feed/load_test.ts": "10,000 changes per second, and their lag",
  "tests/http/feed/zone_feed_test.ts": "measures that zones take 250 ms",
  "tests/http/history/parquet_test.ts": "measures turns of the event loop",
  "tests/http/zones/many_zones_test.ts": "measures turns of the event loop",
  "tests/page/map_test.ts": "measures that the map changes within 250 ms",
  "tests/page/zones/editor_draw_test.ts": "measures how late the list is",
  "tests/page/zones/zones_page_test.ts": "measures how late the list is",
  "tests/scenarios/bridge_test.ts": "waits for the reconnect of a bridge",
  "tests/scenarios/broker_state_kills_test.ts": "kills servers under load",
  "tests/scenarios/durability_kill_test.ts": "kills servers under load",
  "tests/scenarios/frozen_readers_test.ts": "measures the slowest answer",
  "tests/scenarios/full_disk_history_test.ts": "kills a server under load",
  "tests/scenarios/history_end_test.ts": "writes as fast as it can",
  "tests/scenarios/history_kill_test.ts": "kills servers under load",
  "tests/scenarios/watch_load_test.ts": "100,000 changes per second",
  "tests/server/history/turns_test.ts": "measures turns of the event loop",
  "tests/store/checkpoint_turns_test.ts": "measures steps with 3 million tiles",
};

/**
 * Files that run in parallel and start before all others, because they take
 * longest: as the last ones they would run alone, and mostly wait.
 */
export const FIRST: readonly string[] = [
  "tests/zones/live_test.ts",
  "tests/scenarios/store_files_test.ts",
  "tests/broker/conformance/wills_test.ts",
  "tests/store/redis/checkpoint_holder_test.ts",
  "tests/scenarios/group_test.ts",
];

/** Returns true if a test file, from the top of the checkout, runs alone. */
export function isAlone(file: string): boolean {
  return Object.keys(ALONE).some((path) =>
    path.endsWith("/") ? file.startsWith(path) : file === path
  );
}

/** Returns true if a test file is in {@linkcode FIRST}. */
export function isFirst(file: string): boolean {
  return FIRST.includes(file);
}
