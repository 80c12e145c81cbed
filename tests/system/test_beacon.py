"""A public beacon, as servers in processes of their own meet it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.dev.beacon import DevBeacon
from tests.support.beacon import ServedBeacon, serving_beacon
from tests.support.process import StartProcess
from tests.support.wait import until
from tests.system.conftest import FAIR_BINGO, JS, Serve, StartServe
from tests.system.game_server import GameServer

UNREACHABLE = "beacon_unreachable"


@pytest.fixture
async def relay() -> AsyncIterator[ServedBeacon]:
    """A relay of a beacon, a round a second."""
    async with serving_beacon() as relay:
        yield relay


async def watched(server: GameServer, lobby_id: str) -> list[dict[str, Any]]:
    """Everything that a room received from its beginning to its end, each with its name."""
    async with server.visitor("carol") as carol:
        await carol.enter(lobby_id, last_seq=0)
        await carol.receives("game_finished")
        return [{"event": name, **message} for name, message in carol.received]


@pytest.mark.usefixtures("node_modules")
async def test_a_game_waits_for_its_round_and_anyone_can_check_it(
    serve: Serve, relay: ServedBeacon, start_process: StartProcess, tmp_path: Path
) -> None:
    server = await serve(CALL_INTERVAL_SECONDS="0.02", **relay.settings)
    lobby_id = await server.ready("alice", "bob")
    received = await watched(server, lobby_id)
    names = [message["event"] for message in received]
    assert names.count("beacon_mixed") == 1
    assert names.index("beacon_mixed") + 1 == names.index("number_called")
    start = next(message for message in received if message.get("status") == "active")
    mixed = received[names.index("beacon_mixed")]
    chain = relay.beacon.chain
    assert start["beacon"] == {"chain_hash": chain.chain_hash, "round": mixed["round"]}
    last_grid = [message["at"] for message in received if message["event"] == "player_ready"][-1]
    there_at = chain.time_ms(mixed["round"])
    assert there_at >= last_grid + 1000
    assert there_at - chain.period_ms < start["at"] + 1001
    assert mixed["at"] >= there_at - 100
    assert [message["seq"] for message in received] == [*range(1, len(received) + 1)]

    proof = received[-1]["proof"]
    named = ("round", "signature", "randomness")
    assert proof["beacon"] == {"chain_hash": chain.chain_hash} | {k: mixed[k] for k in named}
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(proof))
    keys = {"BEACON_CHAIN_HASH": chain.chain_hash, "BEACON_PUBLIC_KEY": chain.public_key}
    known = start_process(FAIR_BINGO, "verify", str(file), **keys)
    assert await known.wait() == 0, known.output
    unknown = start_process(FAIR_BINGO, "verify", str(file))
    assert await unknown.wait() == 1
    assert "not known here" in unknown.output
    stranger = keys | {"BEACON_PUBLIC_KEY": DevBeacon().chain.public_key}
    wrong = start_process(FAIR_BINGO, "verify", str(file), **stranger)
    assert await wrong.wait() == 1
    assert "beacon.signature" in wrong.output
    file.write_text(json.dumps([proof]))
    described = start_process("node", str(JS / "verify.js"), str(file), **keys)
    assert await described.wait() == 0, described.output
    assert described.output.strip() == "[]"


async def test_too_late_is_voided_and_paid_back(serve: Serve, relay: ServedBeacon) -> None:
    relay.fault = "late"
    server = await serve(BEACON_PATIENCE_SECONDS="2", **relay.settings)
    lobby_id = await server.ready("alice", "bob")
    received = await watched(server, lobby_id)
    end = received[-1]
    assert (end["outcome"], end["proof"], end["numbers_called"]) == ("voided", None, [])
    assert "beacon_mixed" not in [message["event"] for message in received]
    start = next(message for message in received if message.get("status") == "active")
    whole_ms = int(start["at"])  # as the rules have it
    assert end["at"] - whole_ms >= 2000
    answer = await server.get(f"/api/game/{lobby_id}/proof")
    assert (answer.status, answer.body["code"]) == (409, "not_finished")


async def test_a_beacon_of_another_chain_than_the_settings_stops_the_start(
    start_serve: StartServe, relay: ServedBeacon
) -> None:
    other = relay.settings | {"BEACON_PUBLIC_KEY": DevBeacon().chain.public_key}

    async def is_stopped() -> bool:
        """Whether it does not start; false if the relay was not asked in time."""
        process = start_serve(**other)
        await until(lambda: process.exit_code is not None or UNREACHABLE in process.output)
        if UNREACHABLE in process.output:
            process.kill()
            return False
        assert process.exit_code == 2
        assert "BEACON_PUBLIC_KEY" in process.output.splitlines()[-1]
        return True

    await until(is_stopped)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BEACON_URL", "ftp://beacon"),
        ("BEACON_CHAIN_HASH", "52db"),
        ("BEACON_PUBLIC_KEY", "c0" + "00" * 95),
        ("BEACON_PATIENCE_SECONDS", "-60"),
    ],
)
async def test_a_setting_that_is_wrong_stops_the_start(
    start_serve: StartServe, name: str, value: str
) -> None:
    process = start_serve(**{"BEACON_URL": "http://127.0.0.1:1", name: value})
    assert await process.wait() == 2
    assert name in process.output
    assert value not in process.output


async def test_a_server_without_a_beacon_shows_none(serve: Serve) -> None:
    server = await serve(CALL_INTERVAL_SECONDS="0.02")
    lobby_id = await server.ready("alice", "bob")
    received = await watched(server, lobby_id)
    assert "beacon" not in json.dumps(received)
    assert "beacon" not in (await server.get(f"/api/game/{lobby_id}/status", "alice")).body
