"""The beacon of development."""

import asyncio
import json
from pathlib import Path

import httpx

from server.dev.beacon import DevBeacon
from server.dev.bots import Bot
from server.dev.compose import DevWorld
from server.rules.beacon import known_keys, verifies
from server.rules.verify import verify_proof
from tests.support.wait import until

FAST = {
    "PORT": "0",
    "BUY_IN_TIERS": "3500",
    "MAX_PLAYERS": "2",
    "CALL_INTERVAL_SECONDS": "0.05",
    "LOG_LEVEL": "error",
}


def test_its_key_is_kept_and_is_nobody_elses(tmp_path: Path) -> None:
    first, again, other = DevBeacon(tmp_path), DevBeacon(tmp_path), DevBeacon()
    assert first.chain == again.chain
    assert first.chain != other.chain
    assert verifies(first.chain.public_key, 7, again.signature(7))
    about = json.loads((tmp_path / "beacon.json").read_text())
    assert about == {first.chain.chain_hash: first.chain.public_key}
    assert (tmp_path / "beacon.hex").stat().st_mode & 0o077 == 0


async def test_a_game_of_bots_waits_for_it(tmp_path: Path) -> None:
    world = DevWorld(tmp_path, FAST, beacon=True)
    async with world.running() as app:
        bots = [Bot(world.access, name, (0.0, 0.0)) for name in ("ann", "bob")]
        for bot in bots:
            await bot.take_seat(3500)
        lobby_id = bots[0].lobby_id

        async def proof() -> httpx.Response:
            return await world.http.get(f"/api/game/{lobby_id}/proof")

        async with asyncio.TaskGroup() as group:
            for bot in bots:
                group.create_task(bot.play())

            async def is_over() -> bool:
                return (await proof()).status_code == 200

            await until(is_over)
        keys = (await world.http.get("/dev/beacon")).json()
        document = (await proof()).json()
        assert verify_proof(document, keys) == []
        settings = app.settings
        assert (
            keys.items()
            <= known_keys(settings.beacon_chain_hash, settings.beacon_public_key).items()
        )
        assert document["beacon"]["chain_hash"] in keys


async def test_without_it_there_is_none(tmp_path: Path) -> None:
    assert DevWorld(tmp_path, FAST).settings.beacon_url == ()
    named = DevWorld(tmp_path, FAST | {"BEACON_URL": "https://beacon.example"}, beacon=True)
    assert named.settings.beacon_url == ("https://beacon.example",)
