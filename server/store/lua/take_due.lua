-- Take the lobbies that are due, so that nobody else does for the length of a lease.
--
-- KEYS  timers
-- ARGV  lease in ms, most to take
-- Returns {lobby ids, next due time in Unix ms or '', seconds, microseconds}.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, ARGV[2])
for _, lobby_id in ipairs(due) do
    redis.call('ZADD', KEYS[1], now_ms + ARGV[1], lobby_id)
end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {due, following[2] or '', time[1], time[2]}
