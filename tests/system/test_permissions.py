"""A server runs no command, and uses no key, that it has not looked whether it may."""

import re

from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.dev.store import EmbeddedStore
from server.store.channels import Channels
from server.store.permissions import permissions
from tests.support.guides import OPERATING
from tests.support.process import StartProcess
from tests.support.store_content import command
from tests.support.wait import TIMEOUT_SECONDS, until
from tests.system.conftest import FAIR_BINGO
from tests.system.game_server import NAMES, environment, running_app

# Of redis-py, when it connects, and of the look itself, which goes without where it is refused.
OF_THE_CONNECTION = {"client", "hello", "auth", "select", "config", "info", "role", "eval"}


async def test_all_that_a_server_does_is_among_what_it_looked_for(
    own_store: EmbeddedStore, issuer: DevIssuer, provider: DevProvider
) -> None:
    needed = [*permissions(["3500"], Channels(sharded=True))]
    named = [argument for _, *arguments in needed for argument in arguments]
    prefixes = {key.partition("{3500}")[0] for key in named if "{3500}" in key}
    rules = ["~nodes", "~tables", "~unmatched", "~operator_log", "~restrictions:{operator_log}"]
    rules += ["~limited", "~limits:*", "~seating:*"]
    rules += [*(f"~{prefix}{{3500}}*" for prefix in prefixes)]
    async with Redis.from_url(
        own_store.url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as admin:
        may = [f"+{name}" for name in OF_THE_CONNECTION | {name for name, *_ in needed}]
        await command(admin, "ACL", "SETUSER", "server", "on", ">secret", "&*", *rules, *may)
        await command(admin, "ACL", "LOG", "RESET")
        url = own_store.url.replace("//", "//server:secret@")
        fast = {"BUY_IN_TIERS": "3500", "CALL_INTERVAL_SECONDS": "0.01", "FORMATION_SECONDS": "1"}
        async with running_app(url, issuer, provider, **fast) as server:
            lobby_id = await server.seat(*NAMES[:2])
            await server.arrange(lobby_id, *NAMES[:2])

            async def is_over() -> bool:
                answer = await server.get(f"/api/game/{lobby_id}/proof")
                return answer.status == 200

            await until(is_over)
            answer = await server.post(f"/api/game/{lobby_id}/claim", "alice")
            assert answer.status in (400, 409)
        assert await command(admin, "ACL", "LOG") == []


async def test_the_user_of_the_guide_may_do_all_that_servers_and_commands_do(
    own_store: EmbeddedStore,
    issuer: DevIssuer,
    provider: DevProvider,
    start_process: StartProcess,
) -> None:
    (rule,) = re.findall(r"^ACL (SETUSER .*?)^```", OPERATING.read_text(), re.MULTILINE | re.DOTALL)
    async with Redis.from_url(
        own_store.url, decode_responses=True, socket_timeout=TIMEOUT_SECONDS
    ) as admin:
        await command(admin, "ACL", *rule.split())
        await command(admin, "ACL", "LOG", "RESET")
        url = own_store.url.replace("//", "//fair-bingo:PASSWORD@")
        async with running_app(url, issuer, provider, CALL_INTERVAL_SECONDS="0.01") as server:
            lobby_id = await server.ready(*NAMES[:2])

            async def is_over() -> bool:
                answer = await server.get(f"/api/game/{lobby_id}/proof")
                return answer.status == 200

            async def is_ready() -> bool:
                return (await server.get("/health/ready")).status == 200

            await until(is_over)
            await until(is_ready)
            jwks_url = "http://127.0.0.1/not-asked-for"
            variables = environment(url, jwks_url, issuer, provider)
            for arguments in (("audit",), ("ledger", "list"), ("replay", lobby_id)):
                process = start_process(FAIR_BINGO, *arguments, **variables)
                assert await process.wait(TIMEOUT_SECONDS) == 0, process.output
        assert await command(admin, "ACL", "LOG") == []
