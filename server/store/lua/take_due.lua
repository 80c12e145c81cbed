-- Take the lobbies that are due or soon will be, so that nobody else does until a lease after that.
--
-- KEYS  timers
-- ARGV  lease in ms, most to take, how far ahead to take in ms
-- Returns {{lobby id, due time in Unix ms, ...}, next due time or '', seconds, microseconds}.

-- Changes nothing, and fails unless this is the primary: else nobody would notice while none is due.
redis.call('ZREM', KEYS[1], '')

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000
local due = redis.call(
    'ZRANGEBYSCORE', KEYS[1], '-inf', now_ms + ARGV[3], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
-- Changes nothing, but fails where nothing can be written: then nothing could be called either.
redis.call('ZADD', KEYS[1], 'XX', 0, '')
for i = 1, #due, 2 do
    redis.call('ZADD', KEYS[1], math.max(now_ms, tonumber(due[i + 1])) + ARGV[1], due[i])
end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {due, following[2] or '', time[1], time[2]}
