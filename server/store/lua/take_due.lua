-- Take the lobbies that are due or soon will be, so that nobody else does until a lease after that.
--
-- KEYS  timers
-- ARGV  lease in ms, most to take, how far ahead to take in ms
-- Returns {{lobby id, due time in Unix ms, ...}, next due time or '', seconds, microseconds}.

-- Changes nothing, and fails where nothing can be written, as at a replica or without memory: else
-- nobody would notice while nothing is due. First of all, as a script that has written once may go on.
redis.call('ZADD', KEYS[1], 'XX', 0, '')

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000
local due = redis.call(
    'ZRANGEBYSCORE', KEYS[1], '-inf', now_ms + ARGV[3], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #due, 2 do
    redis.call('ZADD', KEYS[1], math.max(now_ms, tonumber(due[i + 1])) + ARGV[1], due[i])
end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {due, following[2] or '', time[1], time[2]}
