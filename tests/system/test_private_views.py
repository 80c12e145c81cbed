"""What must stay secret until the end of a game, looked for in every byte that is sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.game_server import GameServer, has_pattern, numbers, running_app, ticket
from tests.transport.raw import RawClient

SECRETS = {"numbers", "grid", "grids", "numbers_called", "server_seed", "entropy", "proof"}


@asynccontextmanager
async def recording(game: GameServer, name: str, lobby_id: str) -> AsyncIterator[list[str]]:
    """Every packet that someone gets in a lobby, as it is sent."""
    client = await RawClient.connect(game.port)
    packets = [await client.join(f"/{lobby_id}", game.issuer.token(name))]

    async def record() -> None:
        while True:
            packets.append(await client.packet())

    recorder = asyncio.create_task(record())
    try:
        yield packets
    finally:
        recorder.cancel()
        await asyncio.wait([recorder])
        await client.close()


async def test_nobody_learns_before_the_end_what_is_not_theirs(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with running_app(store_url, issuer, provider, CALL_INTERVAL_SECONDS="0.1") as game:
        lobby_id = await game.seat("alice")
        async with (
            recording(game, "alice", lobby_id) as to_alice,
            recording(game, "carol", lobby_id) as to_carol,
            game.visitor("bob") as bob,
        ):
            await game.post(
                f"/api/game/{lobby_id}/numbers/select", "alice", {"numbers": numbers("alice")}
            )
            await game.arrange(lobby_id, "alice")
            async with recording(game, "alice", lobby_id) as again:
                await until(lambda: len(again) > 1)
            await bob.enter(lobby_id)
            await game.ready("bob")
            await until(lambda: has_pattern(ticket("bob"), bob.called))
            await bob.answer("claim", None)  # if it comes too late, the game is over all the same
            await until(lambda: "game_finished" in to_alice[-1])
            await until(lambda: "game_finished" in to_carol[-1])

    assert secrets(to_carol) == {}
    assert secrets(to_alice) == {"numbers": [None], "grid": [None]}
    assert secrets(again) == {"numbers": [numbers("alice")], "grid": [ticket("alice")]}
    seed = data(to_carol[-1])["proof"]["server_seed"]
    for packet in (*to_carol[:-1], *to_alice[:-1], *again):
        assert seed not in packet
    for packet in (*to_carol[:-1], *to_alice[:-1]):
        assert list(number_lists(data(packet))) == []


def data(packet: str) -> Any:
    """What a packet carries: `42/lobby,["event",data]` or `40/lobby,data`."""
    value = json.loads(packet.partition(",")[2])
    return value[1] if isinstance(value, list) else value


def secrets(packets: list[str]) -> dict[str, list[Any]]:
    """What stands in the secret fields of all packets before the end."""
    found: dict[str, list[Any]] = {}
    for packet in packets:
        if "game_finished" not in packet:
            for name, value in fields(data(packet)):
                if name in SECRETS:
                    found.setdefault(name, []).append(value)
    return found


def fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of every object in a JSON value."""
    if isinstance(value, dict):
        yield from value.items()
    for item in items(value):
        yield from fields(item)


def number_lists(value: Any) -> Iterator[list[int]]:
    """Every list of numbers in a JSON value, but for the cells of the patterns: all know those."""
    if isinstance(value, list) and any(type(item) is int for item in value):
        yield value
    if isinstance(value, dict):
        value = {name: item for name, item in value.items() if name != "patterns"}
    for item in items(value):
        yield from number_lists(item)


def items(value: Any) -> list[Any]:
    """What an object or a list holds."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
