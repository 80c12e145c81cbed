-- Which commands the user of this connection may not run; none is run.
--
-- ARGV  JSON list of [command, arguments...]
--
-- Returns the places of those that are denied, the first is 1; nothing where the store has
-- no way to ask (Redis 6.2).

if not redis.acl_check_cmd then
    return nil
end
local denied = {}
for place, command in ipairs(cjson.decode(ARGV[1])) do
    if not redis.acl_check_cmd(unpack(command)) then
        denied[#denied + 1] = place
    end
end
return denied
