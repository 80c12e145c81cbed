-- Compare and commit: all checks hold and all writes happen, or nothing does.
--
-- KEYS  every key and channel that is checked, written or published to
-- ARGV  decided_at  Unix ms when the change was decided
--       max_age     ms after which a decision is stale
--       checks      JSON list of [expected reply ('' for none), command, key, arguments...]
--       writes      JSON list of [command, key, arguments...]
--       (a key is given by its place in KEYS)
--
-- Returns {outcome, seconds, microseconds}: 'committed', 'conflict' or 'stale', and the time.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000

if now_ms - tonumber(ARGV[1]) > tonumber(ARGV[2]) then
    return {'stale', time[1], time[2]}
end

for _, check in ipairs(cjson.decode(ARGV[3])) do
    local reply = redis.call(check[2], KEYS[check[3]], unpack(check, 4))
    if tostring(reply or '') ~= check[1] then
        return {'conflict', time[1], time[2]}
    end
end

for _, write in ipairs(cjson.decode(ARGV[4])) do
    redis.call(write[1], KEYS[write[2]], unpack(write, 3))
end

return {'committed', time[1], time[2]}
