-- size, floor, how long the counter is kept
-- A counter that was lost goes on at the time in microseconds: above all that was given out before, as long as fewer than
-- a million numbers a second are. So does one in whose place somebody else's value stands: MGET takes a list for nothing,
-- and what is no number, or above 2^53, up to which all are exact here, is none of ours.
local counter = KEYS[3]
local last = tonumber(redis.call('MGET', counter)[1] or 0)
if not (last and last < 9007199254740992) then last = 0 end
local start = math.max(last, tonumber(ARGV[2]), clock[1] * 1000000 + clock[2])
redis.call('SET', counter, string.format('%.0f', start + tonumber(ARGV[1])), 'PX', ARGV[3])
return string.format('%.0f', start)
