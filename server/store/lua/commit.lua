-- Compare and commit: all checks hold and all writes happen, or nothing does.
--
-- KEYS  every key and channel that is checked, written or published to
-- ARGV  decided_at  Unix ms when the change was decided
--       max_age     ms after which a decision is stale
--       checks      JSON list of [expected reply ('' for none), command, key, arguments...]
--       writes      JSON list of [command, key, arguments...]
--       (a key is given by its place in KEYS)
--
-- Returns {outcome, unpublished, seconds, microseconds}: 'committed', 'conflict' or 'stale', how many
-- messages could not be published, and the time.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000

if now_ms - tonumber(ARGV[1]) > tonumber(ARGV[2]) then
    return {'stale', 0, time[1], time[2]}
end

for _, check in ipairs(cjson.decode(ARGV[3])) do
    local reply = redis.call(check[2], KEYS[check[3]], unpack(check, 4))
    if tostring(reply or '') ~= check[1] then
        return {'conflict', 0, time[1], time[2]}
    end
end

-- A script whose command fails leaves behind what was written before. No memory, no replicas or no
-- permission to write stop the first write only, and whether the user may use all KEYS was asked
-- before the script began. So two things are left that could stop a later write: a key of another
-- type, and a command that the user may not run (Redis 6.2 has no way to ask).
local counts = {
    HDEL = 'HLEN', HINCRBY = 'HLEN', HSET = 'HLEN', HSETNX = 'HLEN',
    XADD = 'XLEN', XTRIM = 'XLEN', RPUSH = 'LLEN', SADD = 'SCARD',
    ZADD = 'ZCARD', ZREM = 'ZCARD', ZREMRANGEBYSCORE = 'ZCARD',
}
local may = redis.acl_check_cmd
local writes = cjson.decode(ARGV[4])
local allowed, counted = {PUBLISH = true, SPUBLISH = true}, {}
for _, write in ipairs(writes) do
    local command, place = write[1], write[2]
    if not allowed[command] then
        if may and not may(command, KEYS[place]) then
            return redis.error_reply('NOPERM this user may not run ' .. command)
        end
        allowed[command] = true
    end
    local count = counts[command]
    if count and not counted[place] then
        redis.call(count, KEYS[place])
        counted[place] = true
    end
end

local unpublished = 0
for _, write in ipairs(writes) do
    local command, key = write[1], KEYS[write[2]]
    if command == 'PUBLISH' or command == 'SPUBLISH' then
        -- Nodes that miss the message find its records in the log.
        if type(redis.pcall(command, key, write[3])) == 'table' then
            unpublished = unpublished + 1
        end
    else
        redis.call(command, key, unpack(write, 3))
    end
end

return {'committed', unpublished, time[1], time[2]}
