-- prefix of keys, prefix of names, limit
sweep(ARGV[1], 1024)
local answer = list(ARGV[1], ARGV[2], tonumber(ARGV[3]) + 1)
table.insert(answer, 1, tostring(now))
return answer
