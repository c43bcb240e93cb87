/**
 * The script that changes the history of a shard; `scripts.ts` has its keys.
 *
 * @module
 */
import { BEGIN, STATE } from "./scripts.ts";

/**
 * Changes rows. Works also above \`maxmemory\`: the history is bounded by its
 * size, and the checkpoints wait for it.
 *
 * Key: fence. Arguments: the fencing number of the sender, then operations: each
 * a name and its arguments, see `HistoryBatch`. Returns nil if the fence is
 * another one; else the state, and the results of the removals: numbers of rows,
 * and 1 if the removal is complete.
 */
export const WRITE = `#!lua flags=allow-oom${BEGIN}${STATE}
if call('GET', KEYS[1]) ~= ARGV[1] then return false end
local results = {}

local function count(kind, rows, bytes)
  call('HINCRBY', base .. 'sizes', kind .. ':rows', rows)
  call('HINCRBY', base .. 'sizes', kind .. ':bytes', bytes)
end

local function hashOf(kind, id, at)
  return base .. kind .. ':' .. id .. ':' .. at
end

local function ensureLayer(layer)
  local id = idOf(layer)
  if not id then
    id = tostring(call('HINCRBY', base .. 'sizes', 'last-id', 1))
    call('HSET', base .. 'layers', layer, id)
  end
  return id
end

local function noteTile(id, tile) call('ZADD', base .. 'tiles:' .. id, 0, tile) end

local function put(kind, id, at, field, row)
  local hash = hashOf(kind, id, at)
  local before = call('HSTRLEN', hash, field)
  local added = call('HSET', hash, field, row)
  count(kind, added, #row - before - 4 * added)
  if added == 0 then return end
  call('ZADD', base .. kind .. '-times:' .. id, at, at)
  if call('HINCRBY', base .. kind .. '-counts', at, 1) == 1 then
    call('ZADD', base .. kind .. '-times', at, at)
  end
end

local function idsOf(kind)
  if kind == 'zone-days' then return {''} end
  local ids = call('HVALS', base .. 'layers')
  for _, id in ipairs(call('LRANGE', base .. 'gone', 0, -1)) do
    ids[#ids + 1] = id
  end
  return ids
end

-- A hash is missing that no script has deleted: the lists must not name it, or
-- removals would not end.
local function forget(kind, id, at)
  call('ZREM', base .. kind .. '-times:' .. id, at)
  local rows = 0
  for _, other in ipairs(idsOf(kind)) do
    rows = rows + call('HLEN', hashOf(kind, other, at))
  end
  if rows > 0 then return call('HSET', base .. kind .. '-counts', at, rows) end
  call('HDEL', base .. kind .. '-counts', at)
  call('ZREM', base .. kind .. '-times', at)
end

local function remove(kind, id, at, field)
  local hash = hashOf(kind, id, at)
  local before = call('HSTRLEN', hash, field)
  if call('HDEL', hash, field) == 0 then
    if call('EXISTS', hash) == 0 then forget(kind, id, at) end
    return 0
  end
  count(kind, -1, 4 - before)
  if call('EXISTS', hash) == 0 then
    call('ZREM', base .. kind .. '-times:' .. id, at)
  end
  if call('HINCRBY', base .. kind .. '-counts', at, -1) <= 0 then
    call('HDEL', base .. kind .. '-counts', at)
    call('ZREM', base .. kind .. '-times', at)
  end
  return 1
end

local function drop(id, hour, tile)
  local key = base .. 'part:' .. id .. ':' .. hour .. ':' .. tile
  local parts = call('GET', key)
  local rows, at = 0, 1
  if parts then
    while at + 7 <= #parts do -- a shorter rest is damaged
      at = at + 8 + struct.unpack('>I4', parts, at)
      rows = rows + 1
    end
    call('DEL', key)
    count('parts', -rows, 8 * rows - #parts)
  end
  local open = base .. 'open:' .. id .. ':' .. hour
  if call('SREM', open, tile) == 1 then
    call('HINCRBY', base .. 'open-hours', hour, -1)
  end
  if call('EXISTS', open) == 0 then
    call('ZREM', base .. 'open-times:' .. id, hour)
  end
  return rows
end

-- Removes rows of hashes whose hour or day is before a limit.
local function removeBefore(kind, id, before, limit)
  local rows = 0
  while rows < limit do
    local at = call('ZRANGEBYSCORE', base .. kind .. '-times:' .. id, '-inf',
      '(' .. before, 'LIMIT', 0, 1)[1]
    if not at then return rows end
    local fields = call('HRANDFIELD', hashOf(kind, id, at), limit - rows)
    if #fields == 0 then forget(kind, id, at) end
    for _, field in ipairs(fields) do
      rows = rows + remove(kind, id, at, field)
    end
  end
  return rows
end

local function parseZone(value)
  local id, first, last, layer =
    string.match(value, '^(%d+) (%d+) (%d+) (.*)$')
  return id, tonumber(first), tonumber(last), layer
end

-- Returns the number of rows, and true if nothing of it is left.
local function removeGone(gone, limit)
  local rows = 0
  local zone, first, last = string.match(gone, '^z(%d+) (%d+) (%d+)$')
  if zone then
    local days = call('ZRANGEBYSCORE', base .. 'zone-days-times:', first, last)
    for _, day in ipairs(days) do
      if rows >= limit then return rows, false end
      rows = rows + remove('zone-days', '', day, zone)
    end
    return math.max(1, rows), true
  end
  for _, kind in ipairs({'blocks', 'frames', 'cell-days'}) do
    rows = rows + removeBefore(kind, gone, '+inf', limit - rows)
    if rows >= limit then return rows, false end
  end
  while rows < limit do
    local hour = call('ZRANGE', base .. 'open-times:' .. gone, 0, 0)[1]
    if not hour then
      call('UNLINK', base .. 'tiles:' .. gone)
      return rows, true
    end
    local open = base .. 'open:' .. gone .. ':' .. hour
    local tile = call('SRANDMEMBER', open)
    if tile then
      rows = rows + math.max(1, drop(gone, hour, tile))
    else
      call('ZREM', base .. 'open-times:' .. gone, hour)
    end
    if (tonumber(call('HGET', base .. 'open-hours', hour)) or 0) <= 0 then
      call('HDEL', base .. 'open-hours', hour)
    end
  end
  return rows, false
end

local function result(rows, isDone)
  results[#results + 1] = rows
  results[#results + 1] = isDone and 1 or 0
end

local operations = {
  part = {4, function(layer, hour, tile, part)
    local id = ensureLayer(layer)
    if call('SADD', base .. 'open:' .. id .. ':' .. hour, tile) == 1 then
      call('ZADD', base .. 'open-times:' .. id, hour, hour)
      call('HINCRBY', base .. 'open-hours', hour, 1)
    end
    call('APPEND', base .. 'part:' .. id .. ':' .. hour .. ':' .. tile, part)
    count('parts', 1, #part - 8)
    noteTile(id, tile)
  end},
  row = {5, function(kind, layer, at, tile, row)
    local id = ensureLayer(layer)
    put(kind, id, at, tile, row)
    noteTile(id, tile)
    if kind == 'blocks' then drop(id, at, tile) end
  end},
  drop = {3, function(layer, hour, tile)
    local id = idOf(layer)
    if id then drop(id, hour, tile) end
  end},
  zone = {4, function(zone, layer, day, row)
    local entry = call('HGET', base .. 'zones', zone)
    local id, first, last
    if entry then id, first, last = parseZone(entry) end
    if not id then
      id = tostring(call('HINCRBY', base .. 'sizes', 'last-id', 1))
      first, last = tonumber(day), tonumber(day)
    end
    local now = string.format('%s %d %d %s', id, math.min(first, day),
      math.max(last, day), layer)
    if now ~= entry then
      call('HSET', base .. 'zones', zone, now)
      call('HINCRBY', base .. 'sizes', 'zones-version', 1)
    end
    put('zone-days', '', day, id, row)
  end},
  moved = {2, function(zone, day)
    local entry = call('HGET', base .. 'zones', zone)
    local id, first, last, layer = parseZone(entry or '')
    if not id or last < tonumber(day) then return end
    remove('zone-days', '', day, id)
    call('HINCRBY', base .. 'sizes', 'zones-version', 1)
    if first >= tonumber(day) then
      call('HDEL', base .. 'zones', zone)
    else
      call('HSET', base .. 'zones', zone,
        string.format('%s %d %d %s', id, first, day - 1, layer))
    end
  end},
  endHour = {1, function(hour)
    local open = 0 -- counted anew: keys may be missing
    for _, id in ipairs(idsOf('open')) do
      open = open + call('SCARD', base .. 'open:' .. id .. ':' .. hour)
    end
    if open > 0 then call('HSET', base .. 'open-hours', hour, open)
    else call('HDEL', base .. 'open-hours', hour) end
    result(0, open == 0)
  end},
  deleteLayer = {1, function(layer)
    local id = idOf(layer)
    if not id then return end
    call('HDEL', base .. 'layers', layer)
    call('RPUSH', base .. 'gone', id)
    call('HINCRBY', base .. 'sizes', 'deletions', 1)
    local zones = call('HGETALL', base .. 'zones')
    for i = 1, #zones, 2 do
      local zone, first, last, ofLayer = parseZone(zones[i + 1])
      if ofLayer == layer then
        call('HDEL', base .. 'zones', zones[i])
        call('RPUSH', base .. 'gone',
          string.format('z%s %d %d', zone, first, last))
        call('HINCRBY', base .. 'sizes', 'zones-version', 1)
      end
    end
  end},
  deleteRest = {1, function(limit)
    local rows = 0
    while rows < tonumber(limit) do
      local gone = call('LINDEX', base .. 'gone', 0)
      if not gone then return result(rows, true) end
      local removed, isDone = removeGone(gone, tonumber(limit) - rows)
      rows = rows + removed
      if isDone then call('LPOP', base .. 'gone') end
    end
    result(rows, false)
  end},
  deleteBlocks = {4, function(layer, tile, hour, limit)
    local id = idOf(layer)
    if not id then return result(0, true) end
    local rows = 0
    local function removeOf(kind, before)
      local times = call('ZRANGEBYSCORE', base .. kind .. '-times:' .. id,
        '-inf', '(' .. before)
      for _, at in ipairs(times) do
        if rows >= tonumber(limit) then return end
        rows = rows + remove(kind, id, at, tile)
      end
    end
    removeOf('blocks', hour)
    local frames = call('ZREVRANGEBYSCORE', base .. 'frames-times:' .. id,
      hour, '-inf')
    for _, at in ipairs(frames) do
      if call('HEXISTS', hashOf('frames', id, at), tile) == 1 then
        removeOf('frames', at)
        break
      end
    end
    result(rows, rows < tonumber(limit))
  end},
  deleteCellDays = {2, function(day, limit)
    local rows = 0
    for _, id in ipairs(call('HVALS', base .. 'layers')) do
      rows = rows + removeBefore('cell-days', id, day, tonumber(limit) - rows)
      if rows >= tonumber(limit) then break end
    end
    result(rows, rows < tonumber(limit))
  end},
  deleteZoneDays = {2, function(day, limit)
    local rows = removeBefore('zone-days', '', day, tonumber(limit))
    if rows < tonumber(limit) then
      local zones = call('HGETALL', base .. 'zones')
      for i = 1, #zones, 2 do
        local id, first, last, layer = parseZone(zones[i + 1])
        if not id or last < tonumber(day) then
          call('HDEL', base .. 'zones', zones[i])
          call('HINCRBY', base .. 'sizes', 'zones-version', 1)
        elseif first < tonumber(day) then
          call('HSET', base .. 'zones', zones[i],
            string.format('%s %d %d %s', id, day, last, layer))
          call('HINCRBY', base .. 'sizes', 'zones-version', 1)
        end
      end
    end
    result(rows, rows < tonumber(limit))
  end},
  number = {2, function(name, value) call('HSET', base .. 'numbers', name, value) end},
  gap = {1, function(gap) call('HSET', base .. 'gaps', gap, '') end},
  noGap = {1, function(gap) call('HDEL', base .. 'gaps', gap) end},
}

local at = 2
while at <= #ARGV do
  local operation = operations[ARGV[at]]
  operation[2](unpack(ARGV, at + 1, at + operation[1]))
  at = at + 1 + operation[1]
end
return {state(), results}`;
