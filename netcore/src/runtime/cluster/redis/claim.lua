-- prefix of keys, ttl, node, link, name, mark, age, value, prefix of names (empty: none), how many may begin so
local prefix, ttl, node, name, mark = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[5], ARGV[6]
local begin, max = ARGV[9], tonumber(ARGV[10])
if given_up(ARGV[4]) then return LATE end
sweep(prefix, 64)
local held = read({prefix .. name})[1]
if held and (node_of(held) ~= node or mark_of(held) > mark) then
  return {'taken', node_of(held)}
end
local answer = {'claimed', tostring(now)}
if begin ~= '' then
  local others = list(prefix, begin, max + 64)
  local count = 0
  for i = 1, #others, 2 do
    if others[i] ~= name then
      count = count + 1
      answer[#answer + 1] = others[i]
      answer[#answer + 1] = others[i + 1]
    end
  end
  if count >= max then return {'full'} end
end
local head = node .. mark .. string.format('%016.0f', now - tonumber(ARGV[7]))
redis.call('SET', prefix .. name, head .. ARGV[8], 'PX', ttl)
redis.call('ZADD', names, 0, name)
redis.call('ZADD', due, now + ttl, name)
live(names, 2 * ttl)
live(due, 2 * ttl)
return answer
