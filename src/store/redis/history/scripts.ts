/**
 * The scripts that change and read the history of a shard.
 *
 * All keys are those of one shard, so of one slot of a cluster. The first one is
 * passed, the names of the others follow from it (`base`):
 *
 * | key | type | content |
 * | --- | --- | --- |
 * | `fence` | string | the fencing number of the server that writes |
 * | `layers` | hash | id of each layer |
 * | `gone` | list | ids of deleted layers and zones that have rows still |
 * | `tiles:ID` | sorted set | tiles of a layer, in the order of their bytes |
 * | `blocks:ID:HOUR`, `frames:ID:HOUR`, `cell-days:ID:DAY` | hash | rows by tile |
 * | `zone-days::DAY` | hash | rows by id of a zone |
 * | `KIND-times:ID` | sorted set | the hours or days of these hashes |
 * | `KIND-times`, `KIND-counts` | sorted set, hash | the same of all layers, and rows of each |
 * | `part:ID:HOUR:TILE` | string | parts, one after the other |
 * | `open:ID:HOUR`, `open-times:ID` | set, sorted set | tiles with parts, and their hours |
 * | `open-hours` | hash | tiles with parts, by hours that are not ended |
 * | `zones` | hash | id, first and last day, and layer of each zone |
 * | `sizes` | hash | rows and bytes of each kind; versions; last ids |
 * | `numbers`, `gaps` | hash | of shard 0 |
 *
 * @module
 */

/** What all scripts begin with. */
export const BEGIN = `
local call = redis.call
local base = string.match(KEYS[1], '^(.*:)fence$')
local function idOf(layer) return call('HGET', base .. 'layers', layer) end`;

/** Returns what servers have in memory of a shard, see `shard_state.ts`. */
export const STATE = `
local function oldest(kind)
  return call('ZRANGE', base .. kind .. '-times', 0, 0)[1] or ''
end
local function state()
  return {
    call('HGETALL', base .. 'sizes'), call('HGETALL', base .. 'open-hours'),
    call('HKEYS', base .. 'layers'), oldest('blocks'), oldest('cell-days'),
    oldest('zone-days'), call('HGETALL', base .. 'numbers'),
    call('HKEYS', base .. 'gaps')
  }
end`;

/** Key: fence. Returns the state of the shard. */
export const READ_STATE = `${BEGIN}${STATE}
return state()`;

/**
 * Begins to write: what writers with lower numbers send changes nothing more.
 *
 * Key: fence. Argument: a fencing number. Returns 0 if there is a higher one.
 */
export const TAKE_FENCE = `#!lua flags=allow-oom
local fence = tonumber(redis.call('GET', KEYS[1])) or 0
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

/** The times of a kind of rows from one to another, ascending. */
const TIMES = `
local function times(kind, id, from, to)
  return call('ZRANGEBYSCORE', base .. kind .. '-times:' .. id, from, to)
end
local function rows(kind, id, from, to, field)
  local found = {}
  for _, at in ipairs(times(kind, id, from, to)) do
    local row = call('HGET', base .. kind .. ':' .. id .. ':' .. at, field)
    if row then
      found[#found + 1] = at
      found[#found + 1] = row
    end
  end
  return found
end
local function newest(kind, id, to, field)
  local all = call('ZREVRANGEBYSCORE', base .. kind .. '-times:' .. id, to, '-inf')
  for _, at in ipairs(all) do
    local row = call('HGET', base .. kind .. ':' .. id .. ':' .. at, field)
    if row then return {at, row} end
  end
  return {}
end
local function open(id, from, to, tile)
  local found = {}
  for _, hour in ipairs(times('open', id, from, to)) do
    local parts = call('GET', base .. 'part:' .. id .. ':' .. hour .. ':' .. tile)
    if parts then
      found[#found + 1] = hour
      found[#found + 1] = parts
    end
  end
  return found
end`;

/**
 * Key: fence. Arguments: layer, tile, last hour of the frame, last hour of
 * blocks and parts. Returns the newest frame, the blocks since, and the parts:
 * each a list of hours and rows.
 */
export const READ_TILE = `${BEGIN}${TIMES}
local id = idOf(ARGV[1])
if not id then return {{}, {}, {}} end
local frame = newest('frames', id, ARGV[3], ARGV[2])
local from = frame[1] or '-inf'
return {
  frame, rows('blocks', id, from, ARGV[4], ARGV[2]),
  open(id, from, ARGV[4], ARGV[2])
}`;

/** Key: fence. Arguments: layer, tile, hour. Returns block and parts. */
export const READ_HOUR = `${BEGIN}${TIMES}
local id = idOf(ARGV[1])
if not id then return {{}, {}} end
return {
  rows('blocks', id, ARGV[3], ARGV[3], ARGV[2]),
  open(id, ARGV[3], ARGV[3], ARGV[2])
}`;

/** Key: fence. Arguments: kind, layer, tile, first and last time. */
export const READ_ROWS = `${BEGIN}${TIMES}
local id = idOf(ARGV[2])
if not id then return {} end
return rows(ARGV[1], id, ARGV[4], ARGV[5], ARGV[3])`;

/** Key: fence. Arguments: kind, layer, tile, last time. */
export const READ_NEWEST = `${BEGIN}${TIMES}
local id = idOf(ARGV[2])
if not id then return {} end
return newest(ARGV[1], id, ARGV[4], ARGV[3])`;

/** Key: fence. Arguments: zone, first and last day. */
export const READ_ZONE = `${BEGIN}${TIMES}
local entry = call('HGET', base .. 'zones', ARGV[1])
local id = entry and string.match(entry, '^%d+')
if not id then return {} end
return rows('zone-days', '', ARGV[2], ARGV[3], id)`;

/** Key: fence. Returns names and entries of all zones. */
export const READ_ZONES = `${BEGIN}
return call('HGETALL', base .. 'zones')`;

/** Key: fence. Arguments: layer, first and last tile as for ZRANGEBYLEX, limit. */
export const READ_TILES = `${BEGIN}
local id = idOf(ARGV[1])
if not id then return {} end
return call('ZRANGEBYLEX', base .. 'tiles:' .. id, ARGV[2], ARGV[3], 'LIMIT', 0,
  ARGV[4])`;

/** Key: fence. Arguments: hour, limit. Returns layers and tiles with parts. */
export const READ_OPEN_TILES = `${BEGIN}
local found = {}
local limit = 2 * tonumber(ARGV[2])
local layers = call('HGETALL', base .. 'layers')
for i = 1, #layers, 2 do
  local left = (limit - #found) / 2
  if left <= 0 then break end
  local open = base .. 'open:' .. layers[i + 1] .. ':' .. ARGV[1]
  for _, tile in ipairs(call('SRANDMEMBER', open, left)) do
    found[#found + 1] = layers[i]
    found[#found + 1] = tile
  end
end
return found`;
