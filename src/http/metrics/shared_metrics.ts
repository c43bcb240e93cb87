/**
 * The metrics of a store that several servers share.
 *
 * @module
 */
import type { ShardSize } from "../../store/store.ts";
import type { SharedStatus, StoreStatus } from "../context.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";

/** Metrics that only increase; none if only this server uses the store. */
export function sharedCounters(store: () => StoreStatus): ComputedMetric[] {
  if (store().shared?.damagedEntries === undefined) return [];
  return [{
    name: "occupancy_store_damaged_entries_total",
    help:
      "Damaged entries of the shared journals that this server has skipped.",
    read: () => single(store().shared!.damagedEntries!),
  }];
}

/** Metrics that increase and decrease; none if the store is not shared. */
export function sharedGauges(store: () => StoreStatus): ComputedMetric[] {
  if (store().shared === undefined) return [];
  const gauge = (
    name: string,
    help: string,
    read: (shared: SharedStatus) => number,
  ): ComputedMetric => ({
    name: `occupancy_store_${name}`,
    help,
    read: () => single(read(store().shared!)),
  });
  const size = (
    name: string,
    help: string,
    read: (size: ShardSize) => number,
  ): ComputedMetric => ({
    name: `occupancy_store_${name}`,
    help,
    labels: ["shard"],
    read: () =>
      (store().shared!.sizes ?? []).map((one, shard) => [
        read(one),
        { shard: String(shard) },
      ]),
  });
  return [
    gauge(
      "members",
      "Servers that share the store.",
      ({ members }) => members.length,
    ),
    gauge("shards", "Shards of the store.", ({ shards }) => shards),
    gauge(
      "leases",
      "Shards whose lease this server holds: it writes their checkpoints and publishes their changes.",
      ({ held }) => held.length,
    ),
    {
      name: "occupancy_store_leader",
      help:
        "1 if this server holds the lease of shard 0: it publishes zones and events for all.",
      read: () => single(Number(store().shared!.held.includes(0))),
    },
    gauge(
      "lag_entries",
      "Entries of the shared journals that this server has read and not applied.",
      ({ lag }) => lag.entries,
    ),
    gauge(
      "lag_seconds",
      "Age of the oldest of these entries, in seconds.",
      ({ lag }) => lag.ms / 1000,
    ),
    size(
      "journal_entries",
      "Entries of a shared journal, by shard.",
      ({ journalEntries }) => journalEntries,
    ),
    size(
      "journal_bytes",
      "Memory of a shared journal, by shard, about.",
      ({ journalBytes }) => journalBytes,
    ),
    size(
      "checkpoint_bytes",
      "Memory of a shared checkpoint, by shard, about.",
      ({ checkpointBytes }) => checkpointBytes,
    ),
  ];
}
