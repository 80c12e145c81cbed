"""An address whose tokens are refused again and again is not listened to for a while."""

import pytest

from protocol.errors import ErrorCode, Refused
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.outside.identity import Identity
from server.transport.close_reason import CloseReason
from server.transport.limits import Rate, RateByKey
from server.transport.token_check import TokenCheck
from tests.system.game_server import HttpAnswer, running_app
from tests.transport.conftest import ConnectRaw, StartServer
from tests.transport.http.problems import assert_problem

ALICE = Identity("alice", 1e15)
ADDRESS = "192.0.2.1"
STATUS = "/api/game/lobby_3500_0123456789ab/status"


def new_check(answer: Identity | Refused, failures: int) -> TokenCheck:
    """Lets an address fail so often, and no more in the time of a test."""

    async def verify(token: object) -> Identity | Refused:
        return ALICE if token == "valid" else answer

    return TokenCheck(verify, RateByKey(Rate(0.001, failures), lambda: 0.0))


@pytest.mark.parametrize("code", [ErrorCode.UNAUTHORIZED, ErrorCode.TOKEN_EXPIRED])
async def test_an_address_may_fail_so_often_and_others_do_not_notice(code: ErrorCode) -> None:
    check = new_check(Refused(code), failures=2)

    said = [await check.identify("bad", ADDRESS) for _ in range(3)]

    assert said == [Refused(code), Refused(code), Refused(ErrorCode.RATE_LIMITED)]
    assert await check.identify("valid", ADDRESS) == Refused(ErrorCode.RATE_LIMITED)
    assert await check.identify("valid", "192.0.2.2") == ALICE


async def test_valid_tokens_are_not_counted() -> None:
    check = new_check(Refused(ErrorCode.UNAUTHORIZED), failures=1)

    said = [await check.identify("valid", ADDRESS) for _ in range(100)]

    assert set(said) == {ALICE}


async def test_an_issuer_that_is_away_is_not_counted() -> None:
    check = new_check(Refused(ErrorCode.UNAVAILABLE), failures=1)

    said = [await check.identify("any", ADDRESS) for _ in range(3)]

    assert said == 3 * [Refused(ErrorCode.UNAVAILABLE)]


async def test_a_socket_of_such_an_address_is_refused_and_closed(
    start_server: StartServer, connect_raw: ConnectRaw
) -> None:
    server = await start_server(connects_by_address=Rate(0.001, 4), connect_timeout_seconds=10)
    first = await connect_raw(server)
    assert ["unauthorized" in await first.join("/echo", "") for _ in range(3)] == 3 * [True]
    assert await first.tcp_end() == []
    second = await connect_raw(server)
    assert "unauthorized" in await second.join("/echo", "")

    assert ["rate_limited" in await second.join("/echo", "alice") for _ in range(2)] == [True, True]

    assert await second.tcp_end() == []
    assert server.counts.ended[CloseReason.NEVER_JOINED] == 1
    assert server.echo.welcomed == 0


async def test_a_request_of_such_an_address_is_refused(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    limits = {"CONNECT_RATE": "0.001", "TRUSTED_PROXIES": "127.0.0.1"}
    async with running_app(store_url, issuer, provider, **limits) as game:

        async def ask(token: str, address: str) -> HttpAnswer:
            headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
            return await game.request("GET", STATUS, headers=headers)

        valid = issuer.token("alice")
        assert_problem(await ask("x.y.z", ADDRESS), "unauthorized")
        assert_problem(await ask("x.y.z", ADDRESS), "rate_limited")
        assert_problem(await ask(valid, ADDRESS), "rate_limited")
        assert_problem(await ask(valid, "192.0.2.2"), "unknown_lobby")
