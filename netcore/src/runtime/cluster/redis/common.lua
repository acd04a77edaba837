-- What is held: 16 hex digits of the node, 16 of the mark, 16 decimal ones of the time in ms since when, then the value.
local names, due = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function node_of(held) return held:sub(1, 16) end
local function mark_of(held) return held:sub(17, 32) end
local function since_of(held) return tonumber(held:sub(33, 48)) end

-- Takes names that have expired out of the two lists: at most so many.
local function sweep(prefix, most)
  local over = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)
  for _, name in ipairs(over) do
    if redis.call('EXISTS', prefix .. name) == 0 then redis.call('ZREM', names, name) end
    redis.call('ZREM', due, name)
  end
end

-- The lists live as long as what lives longest in them.
local function live(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

-- Name and content, one after the other, of those that begin so and are held.
local function list(prefix, begin, limit)
  local found = redis.call('ZRANGEBYLEX', names, '[' .. begin, '(' .. begin .. '\255', 'LIMIT', 0, limit)
  local holders = {}
  for _, name in ipairs(found) do
    local held = redis.call('GET', prefix .. name)
    if held then
      holders[#holders + 1] = name
      holders[#holders + 1] = held
    end
  end
  return holders
end
