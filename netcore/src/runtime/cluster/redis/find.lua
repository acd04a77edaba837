-- prefix of keys, name
local held = read({ARGV[1] .. ARGV[2]})[1]
if held then return {tostring(now), ARGV[2], held} end
return {tostring(now)}
