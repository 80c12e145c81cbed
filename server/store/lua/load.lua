-- A lobby with its players and numbers, all of one instant.
--
-- KEYS  lobby hash, list of the numbers called
-- Returns {lobby fields, numbers, {player fields, ...}, seconds, microseconds};
-- the lobby's fields are empty when there is none.

local lobby = redis.call('HGETALL', KEYS[1])
local numbers = redis.call('LRANGE', KEYS[2], 0, -1)
local players = {}
local seated = redis.call('HGET', KEYS[1], 'players')
if seated then
    for i, alien_id in ipairs(cjson.decode(seated)) do
        players[i] = redis.call('HGETALL', KEYS[1] .. ':player:' .. alien_id)
    end
end
local time = redis.call('TIME')
return {lobby, numbers, players, time[1], time[2]}
