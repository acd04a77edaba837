-- prefix of keys, ttl, node, prefix of the channels of displaced nodes, then for each: name, mark, age, value
local prefix, ttl, node, displaced = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
sweep(prefix, 64)
local answer = {}
for i = 5, #ARGV, 4 do
  local name, mark, since, value = ARGV[i], ARGV[i + 1], now - tonumber(ARGV[i + 2]), ARGV[i + 3]
  local held = redis.call('GET', prefix .. name)
  local by = ''
  if held and node_of(held) == node then
    -- A mark above is a newer claim of this node: this one comes late.
    if mark_of(held) <= mark then
      if mark_of(held) == mark then since = since_of(held) end
      put(prefix, name, node, mark, since, value, ttl)
    end
  elseif held and (since_of(held) < since or (since_of(held) == since and node_of(held) < node)) then
    by = node_of(held)
  else
    if held then redis.call('PUBLISH', displaced .. node_of(held), name) end
    put(prefix, name, node, mark, since, value, ttl)
  end
  answer[#answer + 1] = by
end
live(names, 2 * ttl)
live(due, 2 * ttl)
return answer
