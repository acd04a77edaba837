-- prefix of keys, ttl, node, link, prefix of the channels of displaced nodes, then for each: name, mark, age, value
local prefix, ttl, node, displaced = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[5]
if given_up(ARGV[4]) then return LATE end
sweep(prefix, 64)
local keys, answer = {}, {}
for i = 6, #ARGV, 4 do keys[#keys + 1] = prefix .. ARGV[i] end
local all = read(keys)
-- What goes into the lists: in one call each, for most of the time it is there already.
local kept, expire = {}, {}

for n, key in ipairs(keys) do
  local at = 2 + 4 * n
  local name, mark, since, value = ARGV[at], ARGV[at + 1], now - tonumber(ARGV[at + 2]), ARGV[at + 3]
  local held, by, late = all[n], '', false
  if held and node_of(held) ~= node then
    local theirs = since_of(held)
    if theirs < since or (theirs == since and node_of(held) < node) then
      by = node_of(held)
    else
      redis.call('PUBLISH', displaced .. node_of(held), name)
      held = nil
    end
  elseif held and mark_of(held) > mark then
    -- A newer claim of this node: this one comes late.
    late = true
  end
  if by == '' and not late then
    if held and mark_of(held) == mark and held:sub(49) == value then
      redis.call('PEXPIRE', key, ttl)
    else
      if held and mark_of(held) == mark then since = since_of(held) end
      redis.call('SET', key, node .. mark .. string.format('%016.0f', since) .. value, 'PX', ttl)
    end
    kept[#kept + 1] = 0
    kept[#kept + 1] = name
    expire[#expire + 1] = now + ttl
    expire[#expire + 1] = name
  end
  answer[n] = by
end

if #kept > 0 then
  redis.call('ZADD', names, unpack(kept))
  redis.call('ZADD', due, unpack(expire))
  live(names, 2 * ttl)
  live(due, 2 * ttl)
end
return answer
