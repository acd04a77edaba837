-- prefix of keys, node, name, mark
local key, name = ARGV[1] .. ARGV[3], ARGV[3]
local held = read({key})[1]
if held and node_of(held) == ARGV[2] and mark_of(held) == ARGV[4] then
  redis.call('DEL', key)
  redis.call('ZREM', names, name)
  redis.call('ZREM', due, name)
end
return 1
