"""Two servers whose clocks are two hours apart, and a store that agrees with neither.

What is shifted is all that this code asks for the time of day: `time.time`, `time.time_ns` and
`datetime.now`, from before the server's first import. The monotonic clock is left alone, as it is
when an operator sets a clock.
"""

import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.game import starting_nodes
from tests.system.conftest import Serve
from tests.system.faults.follower import Follower
from tests.system.faults.verdict import Tally, compare, judge
from tests.system.game_server import GameServer

HOUR_SECONDS = 3600
BOUND_SECONDS = 600  # for a slow machine; what is to be seen here would be an hour
PACE = {
    "MAX_PLAYERS": "10",
    "SEAT_SECONDS": "1",
    "FORMATION_SECONDS": "30",  # for all that is done before the game begins
    "ARRANGING_SECONDS": "0.5",
    "CALL_INTERVAL_SECONDS": "0.05",
}

# Python imports a module of this name when it starts.
SITECUSTOMIZE = """
import datetime, time
real_time, real_time_ns = time.time, time.time_ns
time.time = lambda: real_time() + {seconds}
time.time_ns = lambda: real_time_ns() + {seconds} * 10**9

class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(seconds={seconds})

datetime.datetime = Shifted
"""


@pytest.fixture
async def servers(serve: Serve, tmp_path: Path) -> list[GameServer]:
    """One server whose clock is an hour fast, and one whose clock is an hour slow."""
    started = []
    for seconds in (HOUR_SECONDS, -HOUR_SECONDS):
        directory = tmp_path / f"clock{seconds}"
        directory.mkdir()
        (directory / "sitecustomize.py").write_text(SITECUSTOMIZE.format(seconds=seconds))
        server = await serve(PYTHONPATH=str(directory), **PACE)
        shown = datetime.fromisoformat((await server.get("/health")).body["timestamp"])
        assert shown.timestamp() - time.time() == pytest.approx(seconds, abs=BOUND_SECONDS)
        started.append(server)
    return started


async def test_deadlines_and_calls_keep_to_the_time_of_the_store(
    servers: list[GameServer], store_url: str
) -> None:
    fast, slow = servers
    first = await fast.join("alice")
    await slow.pay(first["invoice"])
    second = await slow.join("bob")
    await fast.pay(second["invoice"])
    lobby_id = first["lobby_id"]
    for server, name in ((fast, "carol"), (slow, "dave")):  # who never pay
        assert (await server.join(name))["lobby_id"] == lobby_id

    token = fast.issuer.token("erin")
    async with Follower(slow.url, token, lobby_id) as erin:
        await erin.wait_until_finished()
    tally = Tally()
    async with starting_nodes() as start:
        records = await judge(await start(store_url), lobby_id, tally)
    compare(erin, records, tally)

    left = [data for name, data in erin.received if name == "player_left"]
    lapsed = {data["alien_id"] for data in left if data["reason"] == "expired"}
    assert lapsed >= {"carol", "dave"}
    assert (tally.calls, tally.wrong) == (50, 0)
    assert tally.worst_delay_seconds < BOUND_SECONDS
    assert all(abs(data["at"] / 1000 - time.time()) < BOUND_SECONDS for _, data in erin.received)


async def test_tokens_expire_by_the_time_of_the_store(servers: list[GameServer]) -> None:
    for server in servers:
        old = server.issuer.token("alice", lifetime_seconds=1, now_s=time.time() - 2)
        headers = {"Authorization": f"Bearer {old}"}
        refused = await server.request_again("POST", "/api/game/join", headers=headers, json={})
        assert refused.body["code"] == "token_expired"

        lobby_id = (await server.join("alice"))["lobby_id"]
        short = server.issuer.token("alice", lifetime_seconds=20)
        async with server.visitor("alice", short) as visitor:
            await visitor.enter(lobby_id)
            await visitor.ends()
