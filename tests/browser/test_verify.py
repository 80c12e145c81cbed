"""The page that checks a proof: without an account, step by step, and without a connection."""

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, expect

from server.rules.evolve import fold
from server.rules.proofs import proof, proof_hash
from server.services.game_files import GameFile
from server.store.log import LOG_START, Snapshot, record_events
from tests.browser.conftest import Enter, Serve
from tests.browser.person import Person
from tests.browser.world import World
from tests.rules.endings import run_out
from tests.rules.games import AWAITED, BEACON, active
from tests.rules.vectors import FILE
from tests.support.beacon import serving_beacon
from tests.support.wait import TIMEOUT_SECONDS, until

PROOFS: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["proofs"]
NO_LOBBY = Snapshot(None, LOG_START)
WITH_BEACON = next(each for each in PROOFS if "beacon" in each)


async def take(person: Person, document: object) -> str:
    """Give the page a file, and return its verdict, or why it gives none."""
    text = json.dumps(document).encode()
    file: FilePayload = {"name": "proof.json", "mimeType": "application/json", "buffer": text}
    await person.page.set_input_files("#file", [])
    await person.page.set_input_files("#file", file)
    said = person.page.locator(".verdict, #failure:not(:empty)")
    await said.first.wait_for()
    return (await said.first.inner_text()).strip()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(untouched_world: World, enter: Enter) -> Person:
    """Somebody at the page, who is nobody to the server."""
    person = await enter(untouched_world, "nobody")
    await person.page.goto(f"{untouched_world.url}/verify")
    return person


async def test_a_file_is_checked_without_a_connection_and_each_step_shows_its_values(
    visitor: Person,
) -> None:
    await visitor.page.wait_for_load_state("networkidle")
    await visitor.page.context.set_offline(True)
    for each in PROOFS:
        verdict = await take(visitor, each)
        assert verdict == "The draw was fair: every step holds."
        text = await visitor.page.locator("#steps").inner_text()
        assert each["server_seed"] in text
        assert each["entropy"] in text
        assert each.get("beacon", each)["signature" if "beacon" in each else "entropy"] in text
        assert "Had somebody cheated" in text


async def test_the_check_speaks_another_language_without_a_connection_too(
    serve: Serve, enter: Enter
) -> None:
    world = await serve()
    visitor = await enter(world, "nobody", locale="de-DE")
    await visitor.page.goto(f"{world.url}/verify")
    await visitor.page.wait_for_load_state("networkidle")
    await visitor.page.context.set_offline(True)
    assert await take(visitor, WITH_BEACON) == "Die Ziehung war fair: Jeder Schritt stimmt."
    assert "2 von" in await take(visitor, WITH_BEACON | {"server_seed_hash": "00" * 32})
    await visitor.shoot("verify-german")


async def test_the_file_that_was_chosen_is_checked_again_in_another_language_without_a_connection(
    visitor: Person,
) -> None:
    await visitor.page.wait_for_load_state("networkidle")
    await visitor.page.context.set_offline(True)
    await take(visitor, WITH_BEACON)
    await visitor.page.get_by_label("Language").select_option("de")
    await visitor.sees("Die Ziehung war fair: Jeder Schritt stimmt.")
    await visitor.sees("War diese Ziehung fair?")
    assert await visitor.page.evaluate("document.getElementById('file').files.length") == 1
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "de")


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"server_seed_hash": "00" * 32}, "sealed its seed"),
        ({"entropy": "00" * 32}, "tickets and seeds"),
        ({"beacon": WITH_BEACON["beacon"] | {"round": 1}}, "A beacon gave"),
        ({"beacon": WITH_BEACON["beacon"] | {"chain_hash": "00" * 32}}, "A beacon gave"),
        ({"numbers_called": WITH_BEACON["numbers_called"][::-1]}, "order"),
    ],
    ids=["seal", "entropy", "round", "chain", "order"],
)
async def test_the_step_that_does_not_hold_is_named(
    visitor: Person, change: dict[str, Any], step: str
) -> None:
    verdict = await take(visitor, WITH_BEACON | change)
    assert "do not hold" in verdict
    failed = await visitor.page.locator("#steps li.fails").all_inner_texts()
    assert any(step in text for text in failed)


@pytest.mark.parametrize("document", [{}, [], "text", {"log": [], "proof": None}, {"log": [7]}])
async def test_what_is_no_proof_is_recognized(visitor: Person, document: object) -> None:
    verdict = await take(visitor, document)
    assert "This" in verdict
    assert await visitor.page.locator("#steps li").count() == 0


def game_file() -> dict[str, Any]:
    """The file of a game with a beacon, in which all numbers were called."""
    game = run_out(active("ann", "bob", beacon=AWAITED))
    records = [record for record, _ in record_events(NO_LOBBY, game.events, game.now_ms)]
    end = fold([record.event for record in records])
    assert end is not None
    proven = proof(end)
    assert proven is not None
    return GameFile(
        lobby_id=end.lobby_id,
        log=[{"id": record.position.id, **record.fields} for record in records],
        hash=records[-1].position.hash,
        proof=proven.model_dump(mode="json"),
    ).model_dump(mode="json")


async def test_the_file_of_a_whole_game_is_checked_with_its_record_and_its_times(
    serve: Serve, enter: Enter
) -> None:
    chain = BEACON.chain
    world = await serve(BEACON_CHAIN_HASH=chain.chain_hash, BEACON_PUBLIC_KEY=chain.public_key)
    visitor = await enter(world, "nobody")
    await visitor.page.goto(f"{world.url}/verify")
    file = game_file()
    assert "every step holds" in await take(visitor, file)
    text = await visitor.page.locator("#steps").inner_text()
    assert "The round was named before anybody could know its value" in text
    assert "The record of the game is the one that was written" in text
    file["log"][5]["at"] += "1"
    assert "1 of" in await take(visitor, file)
    [failed] = await visitor.page.locator("#steps li.fails").all_inner_texts()
    assert "The record of the game" in failed


async def test_a_record_of_another_beacon_proves_nothing_about_the_round(visitor: Person) -> None:
    file = game_file()
    facts = file["proof"] | {"beacon": file["proof"]["beacon"] | {"chain_hash": "ab" * 32}}
    del facts["proof_hash"]
    await take(visitor, file | {"proof": facts | {"proof_hash": proof_hash(facts)}})
    failed = await visitor.page.locator("#steps li.fails").all_inner_texts()
    assert any("The round was named" in text for text in failed)


@pytest.mark.parametrize(
    "log",
    [
        [{}],
        [{"data": "null"}, {"type": "number_called", "data": "7"}],
        [{"type": "beacon_chosen", "data": '{"chain": null}'}],
        [{"type": "beacon_awaited", "data": '{"round": 9e99, "started_at": 9e99}'}],
    ],
    ids=["nothing", "no objects", "no chain", "no time"],
)
async def test_a_record_of_nonsense_holds_in_no_step(
    visitor: Person, log: list[dict[str, str]]
) -> None:
    assert "do not hold" in await take(visitor, {"log": log, "hash": "", "proof": WITH_BEACON})
    failed = await visitor.page.locator("#steps li.fails").all_inner_texts()
    assert ["The round was named" in failed[0], "The record of" in failed[1]] == [True, True]


@pytest.mark.parametrize("round", [1, 2])
async def test_a_round_that_was_long_out_was_not_named_in_time(visitor: Person, round: int) -> None:
    file = game_file()
    awaited = next(entry for entry in file["log"] if entry["type"] == "beacon_awaited")
    awaited["data"] = json.dumps(json.loads(awaited["data"]) | {"round": round})
    file["proof"]["beacon"]["round"] = round
    await take(visitor, file)
    failed = await visitor.page.locator("#steps li.fails").all_inner_texts()
    assert any("The round was named" in text for text in failed)


async def test_a_game_with_a_beacon_is_played_and_checked_by_its_id(
    serve: Serve, enter: Enter
) -> None:
    async with serving_beacon() as relay:
        world = await serve(
            CALL_INTERVAL_SECONDS="0.02",
            MIN_PLAYERS="2",
            MAX_PLAYERS="2",
            **relay.settings,
        )
        async with world.company("ann", "bob") as lobby_id:

            async def is_over() -> bool:
                async with httpx.AsyncClient(
                    base_url=world.url, trust_env=False, timeout=TIMEOUT_SECONDS
                ) as client:
                    return (await client.get(f"/api/game/{lobby_id}/proof")).status_code == 200

            await until(is_over)
    eve = await enter(world, "eve")
    await eve.page.goto(f"{world.url}/verify#{lobby_id}")
    await eve.page.locator(".verdict").wait_for()
    assert "every step holds" in await eve.page.locator("main").inner_text()
    eve.complaints.clear()  # without books a server has no records, but it has the proof
    await eve.page.goto(f"{world.url}/#{lobby_id}")
    await eve.page.locator(".fairness").wait_for()
    assert await eve.page.locator('.fairness[data-holds="true"]').count() == 1
    link = eve.page.locator(f'a[href="/verify#{lobby_id}"]')
    assert await link.count() == 1
    assert "Who could know what, and when" in await eve.page.locator(".fairness").inner_text()
