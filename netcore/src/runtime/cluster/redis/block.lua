-- size, floor, how long the counter is kept
-- A counter that was lost goes on at the time in microseconds: above all that was given out before, as long as fewer than
-- a million numbers a second are.
local counter = KEYS[3]
local start = math.max(tonumber(redis.call('GET', counter) or 0), tonumber(ARGV[2]), clock[1] * 1000000 + clock[2])
redis.call('SET', counter, string.format('%.0f', start + tonumber(ARGV[1])), 'PX', ARGV[3])
return string.format('%.0f', start)
