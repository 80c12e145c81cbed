-- Compare and commit: all checks hold and all writes happen, or nothing does.
--
-- KEYS  every key and channel that is checked, written or published to
-- ARGV  decided_at  Unix ms when the change was decided
--       max_age     ms after which a decision is stale
--       n           number of checks, then for each:
--         argc, command, key (index into KEYS), arguments..., expected reply ('' for none)
--       the writes to the end, each:
--         argc, command, key (index into KEYS), arguments...
-- (argc counts everything after itself)
--
-- Returns {outcome, seconds, microseconds}: 'committed', 'conflict' or 'stale', and the time.

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + time[2] / 1000

if now_ms - tonumber(ARGV[1]) > tonumber(ARGV[2]) then
    return {'stale', time[1], time[2]}
end

local cursor = 4

local function next_command(arguments)
    local argc = tonumber(ARGV[cursor])
    local command, key = ARGV[cursor + 1], KEYS[tonumber(ARGV[cursor + 2])]
    local rest = {unpack(ARGV, cursor + 3, cursor + arguments(argc))}
    cursor = cursor + argc + 1
    return command, key, rest
end

for _ = 1, tonumber(ARGV[3]) do
    local expected = ARGV[cursor + tonumber(ARGV[cursor])]
    local command, key, rest = next_command(function(argc) return argc - 1 end)
    if tostring(redis.call(command, key, unpack(rest)) or '') ~= expected then
        return {'conflict', time[1], time[2]}
    end
end

while cursor <= #ARGV do
    local command, key, rest = next_command(function(argc) return argc end)
    redis.call(command, key, unpack(rest))
end

return {'committed', time[1], time[2]}
