/**
 * The scripts that write checkpoints. Each checks first that the lease of the
 * shard is still that of the sender: what a server sends that was suspended
 * beyond its lease, or that is late on the way, changes nothing.
 *
 * They write also above `maxmemory` (`allow-oom`, Redis 7.0): only a checkpoint
 * lets the journal be trimmed, so without it the memory would stay full. A script
 * says so in its first line.
 *
 * The results are those of {@linkcode ScriptResult}.
 *
 * @module
 */

/** What a script returns. */
export const ScriptResult = {
  done: 1,
  /** The lease is of another server, or expired. */
  noLease: 0,
  /** Another checkpoint is in force than the sender knows. */
  otherCheckpoint: -1,
  /** Redis does not have what was written: another master has less. */
  lost: -2,
} as const;

/** The first line of a script. */
const ALLOW_OOM = "#!lua flags=allow-oom";

const CHECK_LEASE = `${ALLOW_OOM}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end`;

const CHECK_CHECKPOINT = `
if (redis.call('HGET', KEYS[2], 'id') or '') ~= ARGV[2] then return -1 end`;

/** Keys: lease, chunks. Arguments: lease, name of the chunk, its value. */
export const WRITE_CHUNK = `${CHECK_LEASE}
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1`;

/** The same, for a map that is copied: refused above `maxmemory`. */
export const COPY_CHUNK = WRITE_CHUNK.slice(ALLOW_OOM.length);

/**
 * Keys: lease, checkpoint, chunks. Arguments: lease, id of the checkpoint in
 * force or an empty string, names of chunks to delete.
 */
export const DELETE_CHUNKS = `${CHECK_LEASE}${CHECK_CHECKPOINT}
redis.call('HDEL', KEYS[3], unpack(ARGV, 3))
return 1`;

/**
 * Puts a checkpoint in force.
 *
 * Keys: lease, checkpoint, chunks. Arguments: lease, id of the checkpoint before
 * or an empty string, ids of the first and last chunk that it wrote, number of
 * other chunks, their names, fields and values of the record.
 */
export const COMMIT_CHECKPOINT = `${CHECK_LEASE}${CHECK_CHECKPOINT}
for id = tonumber(ARGV[3]), tonumber(ARGV[4]) do
  local name = string.format('%.0f', id)
  if redis.call('HEXISTS', KEYS[3], name) == 0 then return -2 end
end
local record = 6 + tonumber(ARGV[5])
for i = 6, record - 1 do
  if redis.call('HEXISTS', KEYS[3], ARGV[i]) == 0 then return -2 end
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(ARGV, record))
return 1`;

/**
 * Trims a part of the journal: entries before the position of the checkpoint in
 * force that are older than an age.
 *
 * `XTRIM` does not change `max-deleted-entry-id` (Redis 7.0.15), by which a
 * reader notices that entries are missing, and `XDEL` does: so the last of the
 * entries is deleted first.
 *
 * A copy of a map has the position `0-0`: there is nothing before it, and Redis
 * refuses a range that ends there.
 *
 * Keys: lease, checkpoint, journal. Arguments: lease, minimum age in ms, about
 * how many entries to trim. Returns 0 if the lease is of another server; 1 if
 * nothing is left to trim; 2 if younger entries are left; 3 if more is left.
 */
export const TRIM_JOURNAL = `${CHECK_LEASE}
local position = redis.call('HGET', KEYS[2], 'position')
if not position or position == '0-0' then return 1 end
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[2])
local isYoung = tonumber(string.match(position, '^%d+')) >= oldest
local first = isYoung and string.format('%.0f-0', oldest) or position
local last = redis.call('XREVRANGE', KEYS[3], '(' .. first, '-', 'COUNT', 1)[1]
if last then
  redis.call('XDEL', KEYS[3], last[1])
  if redis.call('XTRIM', KEYS[3], 'MINID', '~', first, 'LIMIT', ARGV[3]) > 0 then
    return 3
  end
end
if isYoung then return 2 end
return 1`;
