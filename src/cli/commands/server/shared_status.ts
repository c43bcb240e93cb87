/**
 * A store that several servers share: for HTTP, the log and the status line.
 *
 * @module
 */
import { plural } from "../../../common/plural.ts";
import { printable } from "../../../common/printable.ts";
import type { SharedStatus } from "../../../http/mod.ts";
import type { Store } from "../../../store/store.ts";

/** More members are counted in a line of the log. */
const MAX_NAMES = 10;

/** Returns the present state; undefined if only this server uses the store. */
export function sharedStatus({ shared }: Store): SharedStatus | undefined {
  if (shared === undefined) return undefined;
  const { leases, lag, damagedEntries, sizes } = shared;
  const { shards, members } = leases;
  const held: number[] = [];
  for (let shard = 0; shard < shards; shard++) {
    if (leases.holds(shard)) held.push(shard);
  }
  return { members, shards, held, lag, damagedEntries, sizes };
}

/** Such as `16 shards, shared by a, b and c`, for the log at the start. */
export function describeShared({ shards, members }: SharedStatus): string {
  const names = members.slice(0, MAX_NAMES).map(printable);
  const more = members.length - names.length;
  if (more > 0) names.push(`${more} more`);
  const list = names.length < 2
    ? names.join()
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${plural(shards, "shard")}, shared by ${
    list || "servers that are not known yet"
  }`;
}

/** Such as `3 members, 5 of 16 shards`, for the status line. */
export function shareText({ members, shards, held }: SharedStatus): string {
  return `${plural(members.length, "member")}, ${held.length} of ${
    plural(shards, "shard")
  }`;
}
