-- What is held: 16 hex digits of the node, 16 of the mark, 16 decimal ones of the time in ms since when, then the value.
local names, due = KEYS[1], KEYS[2]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function node_of(held) return held:sub(1, 16) end
local function mark_of(held) return held:sub(17, 32) end
local function since_of(held) return tonumber(held:sub(33, 48)) end

-- Whether the node has given this link up for another one: then nothing is done any more of what comes late over it.
local function given_up(link)
  local newest = redis.call('GET', KEYS[4])
  return newest and newest ~= link
end
local LATE = redis.error_reply('LATE the node has another link')

-- What is held, and nothing where somebody else's value stands: it is overwritten by the next claim.
local function read(keys)
  local all = redis.call('MGET', unpack(keys))
  for n, held in ipairs(all) do
    if held and not (#held >= 48 and since_of(held)) then all[n] = false end
  end
  return all
end

-- Takes names that have expired out of the two lists: at most so many. One that is due and there all the same (it is gone
-- only after its last millisecond, or the clock was set back) is looked at again when it will be gone.
local function sweep(prefix, most)
  local over = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)
  for _, name in ipairs(over) do
    local left = redis.call('PTTL', prefix .. name)
    if left < 0 then
      redis.call('ZREM', names, name)
      redis.call('ZREM', due, name)
    else
      redis.call('ZADD', due, now + left + 1, name)
    end
  end
end

-- The lists live as long as what lives longest in them.
local function live(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

-- Name and content, one after the other, of those that begin so and are held: at most so many. What is found to have
-- expired is taken out, so that nobody finds it again.
local function list(prefix, begin, limit)
  local holders, from = {}, '[' .. begin
  while #holders < 2 * limit do
    local most = math.min(limit - #holders / 2, 1000)
    local found = redis.call('ZRANGEBYLEX', names, from, '(' .. begin .. '\255', 'LIMIT', 0, most)
    if #found == 0 then break end
    from = '(' .. found[#found]
    local keys, expired = {}, {}
    for n, name in ipairs(found) do keys[n] = prefix .. name end
    local all = read(keys)
    for n, name in ipairs(found) do
      if all[n] then
        holders[#holders + 1] = name
        holders[#holders + 1] = all[n]
      else
        expired[#expired + 1] = name
      end
    end
    if #expired > 0 then
      redis.call('ZREM', names, unpack(expired))
      redis.call('ZREM', due, unpack(expired))
    end
  end
  return holders
end
