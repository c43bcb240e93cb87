/**
 * The lease of a shard in Redis: its value, its scripts, and which server should
 * have it.
 *
 * The value is `FENCE:NAME:RUN`. The fence is a number that increases with each
 * lease of the shard, NAME the server's name, and RUN a random id of its process.
 * So no two leases have the same value, and a script that compares the value
 * rejects what the holder of an earlier lease sends.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A lease without a renewal for this time is free, in ms. */
export const LEASE_EXPIRY_MS = 5000;

/** A held lease is renewed at this interval, in ms. */
export const LEASE_RENEWAL_MS = 1500;

/**
 * A holder that could not renew a lease for this time does not use it any more,
 * in ms. The difference to the expiry is more than clocks drift in that time.
 */
export const LEASE_USE_MS = 4000;

/** A lease. */
export interface Lease {
  /** As stored. */
  readonly value: string;
  readonly fence: number;
  /** The name of the holder. */
  readonly name: string;
  /** The id of the holder's process. */
  readonly run: string;
}

/**
 * Makes a lease if none is in force. Works also above `maxmemory`: without a
 * holder nothing would trim the journal.
 *
 * Keys: lease, fence. Arguments: `NAME:RUN`, expiry in ms. Returns the fence; 0
 * if there is a lease.
 */
export const ACQUIRE_LEASE = `#!lua flags=allow-oom
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local fence = redis.call('INCR', KEYS[2])
local value = string.format('%.0f', fence) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return fence`;

/**
 * Key: lease. Arguments: its value, expiry in ms. Returns 0 if another lease is
 * in force, or none.
 */
export const RENEW_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Key: lease. Argument: its value. Deletes it, unless it is another one. */
export const RELEASE_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Returns a lease with its stored value. */
export function makeLease(fence: number, name: string, run: string): Lease {
  return { value: `${fence}:${name}:${run}`, fence, name, run };
}

/**
 * Parses the value of a lease.
 *
 * @param value any string of others; the name may contain colons
 * @returns undefined if it is not a lease
 */
export function parseLease(value: string): Lease | undefined {
  const [, fence, name, run] = /^(\d{1,15}):([^]*):([^:]*)$/.exec(value) ?? [];
  if (fence === undefined) return undefined;
  return { value, fence: Number(fence), name: name!, run: run! };
}

/**
 * Returns which of the members should have the lease of a shard: the same one on
 * all of them, about as many shards for each, and few others when a member comes
 * or goes (rendezvous hashing, Thaler and Ravishankar, 1998).
 *
 * @param shard its number
 * @param names of the members, in any order
 * @returns undefined if there are none
 */
export function preferredMember(
  shard: number,
  names: Iterable<string>,
): string | undefined {
  let preferred: string | undefined;
  let highest = "";
  for (const name of names) {
    const hash = createHash("sha256").update(`${shard}/${name}`).digest("hex");
    if (hash <= highest) continue;
    highest = hash;
    preferred = name;
  }
  return preferred;
}
