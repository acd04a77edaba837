-- prefix of keys, name
local held = redis.call('GET', ARGV[1] .. ARGV[2])
if held then return {tostring(now), ARGV[2], held} end
return {tostring(now)}
