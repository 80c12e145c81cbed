"""The page's own modules, each asked directly in the browser."""

import json
from typing import Any

import pytest
import pytest_asyncio

from protocol.errors import ErrorCode
from server.rules.draw import call_order, mix_entropy, seed_hash, server_grid
from server.rules.proofs import proof_hash
from server.rules.verify import verify_proof
from server.rules.views import patterns_view, rules_view
from tests.browser.conftest import Enter
from tests.browser.person import Person
from tests.browser.world import World
from tests.rules.vectors import vectors
from tests.support.game import CLASSIC

SEED = bytes(range(32))
LOBBY = "lobby_3500_0123456789ab"
CHECK = """async ([proof, observed]) => {
    const { checkProof } = await import("/client/package/proof.js");
    const heard = new Map(observed.heard);
    return (await checkProof(proof, { ...observed, heard })).filter((check) => !check.holds).length;
}"""
SPECTATOR: dict[str, Any] = {
    "me": "eve",
    "seedHash": None,
    "seeds": [],
    "grid": None,
    "heard": [],
    "rules": rules_view(CLASSIC).model_dump(),
    "patterns": patterns_view(CLASSIC),
}


def a_proof() -> dict[str, Any]:
    """The proof of a game of three; the house arranged two tickets, one of them from nothing."""
    ann = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    bob = server_grid(SEED, LOBBY, "bob", range(20, 29), side=3, highest=50)
    carol = server_grid(SEED, LOBBY, "carol", None, side=3, highest=50)
    players = [("ann", "lück", ann), ("bob", "", bob), ("carol", '"\u2028\\', carol)]
    entropy = mix_entropy(players)
    order = call_order(SEED, LOBBY, entropy, 50)
    needed = max(order.index(number) for number in ann[0]) + 1
    proof: dict[str, Any] = {
        "lobby_id": LOBBY,
        "variant": "classic",
        "server_seed": SEED.hex(),
        "server_seed_hash": seed_hash(SEED),
        "players": players,
        "arranged": {"bob": "arranged", "carol": "picked"},
        "entropy": entropy,
        "numbers_called": list(order[:needed]),
        "winner": None,
        "pattern": None,
        "log_hash": "ab" * 32,
    }
    return proof


def sealed(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with the hash that holds them."""
    return {**facts, "proof_hash": proof_hash(facts)}


TAMPERED: dict[str, dict[str, Any]] = {
    "the seed": {"server_seed": "00" * 32},
    "its hash": {"server_seed_hash": "00" * 32},
    "the entropy": {"entropy": "00" * 32},
    "a number": {"numbers_called": [1, 2, 3]},
    "a mark of the house taken away": {"arranged": {"bob": "arranged"}},
    "a mark of the house put on": {
        "arranged": {"ann": "arranged", "bob": "arranged", "carol": "picked"}
    },
    "a mark for nobody": {"arranged": {"bob": "arranged", "carol": "picked", "dan": "picked"}},
    "a winner without a line": {"winner": "ann", "pattern": "col_2", "numbers_called": []},
    "a winner who did not play": {"winner": "dan", "pattern": "row_0"},
    "a pattern without a winner": {"pattern": "row_0"},
}


@pytest_asyncio.fixture(loop_scope="session")
async def ann(untouched_world: World, enter: Enter) -> Person:
    """A person at the front desk."""
    person = await enter(untouched_world, "ann")
    await person.arrive()
    return person


async def test_the_page_and_the_verifier_agree_on_proofs(ann: Person) -> None:
    untouched: dict[str, dict[str, Any]] = {"nothing": {}}
    for what, changes in (untouched | TAMPERED).items():
        proof = json.loads(json.dumps(sealed(a_proof() | changes)))
        holds = await ann.page.evaluate(CHECK, [proof, SPECTATOR]) == 0
        assert holds == (what == "nothing"), what
        assert holds == (verify_proof(proof) == []), what


async def test_the_page_sees_that_a_proof_is_not_whole(ann: Person) -> None:
    proof = json.loads(json.dumps(sealed(a_proof()) | {"log_hash": "cd" * 32}))
    assert await ann.page.evaluate(CHECK, [proof, SPECTATOR]) == 1


@pytest.mark.parametrize(
    "seen",
    [
        {"seedHash": "00" * 32},
        {"me": "ann", "seeds": ["another"]},
        {"me": "ann", "grid": [[9, 8, 7], [6, 5, 4], [3, 2, 1]]},
        {"heard": [[1, 0]]},
        {"beacon": {"chain_hash": "ab" * 32, "round": 7}},
    ],
    ids=lambda seen: next(reversed(seen)),
)
async def test_a_proof_of_another_game_than_was_seen_fails(
    ann: Person, seen: dict[str, Any]
) -> None:
    assert await ann.page.evaluate(CHECK, [sealed(a_proof()), SPECTATOR | seen]) == 1


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"round": None}, True),
        ({"round": 1}, False),
        ({"chain_hash": "ab" * 32}, False),
    ],
    ids=["that one", "not yet", "another round", "another chain"],
)
async def test_the_beacon_of_a_proof_is_the_one_that_was_named(
    ann: Person, change: dict[str, Any], holds: bool
) -> None:
    proof = next(proof for proof in vectors()["proofs"] if "beacon" in proof)
    named = {name: proof["beacon"][name] for name in ("chain_hash", "round")} | change
    failed = await ann.page.evaluate(CHECK, [proof, SPECTATOR | {"beacon": named}])
    assert failed == (0 if holds else 1)


async def test_every_error_has_words(ann: Person) -> None:
    words = await ann.page.evaluate("import('/client/connection/refusal.js').then((m) => m.CODES)")
    assert {str(code) for code in ErrorCode} <= set(words)


@pytest.mark.parametrize(
    ("units", "asked", "shown"),
    [
        ("3499999999", "3500000000", "3,499.999999"),
        ("1", "35" + 38 * "0", "0." + 35 * "0" + "1"),
        ("12345678901234567890", "3500", "12,345,678,901,234,567,890"),
        ("3500000000", "3500000000", "3,500"),
    ],
)
async def test_what_is_owed_is_shown_in_coins_to_the_last_unit(
    ann: Person, units: str, asked: str, shown: str
) -> None:
    ask = "(a) => import('/client/parts/dom.js').then((m) => m.coinsOf(...a))"
    assert await ann.page.evaluate(ask, [units, asked, 3500]) == shown


async def test_a_name_full_of_markup_stays_text(ann: Person) -> None:
    name = "<img src=x onerror=alert(1)><b>bold</b>"
    player = {"alien_id": name, "paid": True, "ready": True, "active": True}
    view = {"players": [player], "status": "active", "winner": None}
    shown, elements = await ann.page.evaluate(
        """async (view) => {
            const { people } = await import("/client/parts/people.js");
            const list = people(view, "ann");
            document.body.append(list);
            const elements = list.querySelectorAll("img, b");
            return [list.querySelector("bdi").textContent, elements.length];
        }""",
        view,
    )
    assert (shown, elements) == (name, 0)


async def test_the_clock_follows_the_messages(ann: Person) -> None:
    ahead_ms = 3_600_000
    difference_ms = await ann.page.evaluate(
        """async (aheadMs) => {
            const { ServerClock } = await import("/client/package/clock.js");
            const clock = new ServerClock(location.origin);
            const start = Date.now() + aheadMs;
            clock.observe(start - 5000, true); // late by five seconds
            clock.observe(start, true);
            clock.observe(start - 60000, false); // history
            return clock.now() - (Date.now() + aheadMs);
        }""",
        ahead_ms,
    )
    assert abs(difference_ms) < 1000


async def test_attempts_to_come_back_are_spread_from_the_first_on_and_grow(ann: Person) -> None:
    rounds = await ann.page.evaluate(
        """async () => {
            const { Backoff } = await import("/client/package/timing.js");
            return Array.from({ length: 300 }, () => {
                const backoff = new Backoff();
                return Array.from({ length: 8 }, () => backoff.next());
            });
        }"""
    )
    first, later = ([waits[i] for waits in rounds] for i in (0, 7))
    assert min(first) < 100 < 900 < max(first) <= 1000
    assert min(later) < 1000 < 7000 < max(later) <= 8000


@pytest.mark.parametrize("path", ["/client/../main.js", "/client/none.js", "/client/css"])
async def test_only_files_of_the_client_are_served(ann: Person, path: str) -> None:
    answer = await ann.page.request.get(ann.page.url.partition("/?")[0] + path)
    assert answer.status == 404
