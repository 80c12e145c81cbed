"""`fair-bingo draws`: an auditor's look at all draws in the books."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from server.books.engine import Books, open_books
from server.books.schema import games
from server.rules.draw import call_order, mix_entropy, seed_hash
from server.rules.proofs import proof_hash
from tests.system.conftest import Run

T0 = datetime(2026, 1, 1, tzinfo=UTC)
PLAYERS = [
    ("ann", "", ((1, 2, 3), (4, 5, 6), (7, 8, 9))),
    ("bob", "", ((11, 12, 13), (14, 15, 16), (17, 18, 19))),
]
ENTROPY = mix_entropy(PLAYERS)
COUNT = 300


def seed(game: int, attempt: int) -> bytes:
    """One of the seeds that a house could pick for a game."""
    return hashlib.sha256(f"{game} {attempt}".encode()).digest()


def proof(game: int, server_seed: bytes) -> dict[str, Any]:
    """The proof of a game that was over after ten calls."""
    lobby_id = f"lobby_3500_{game:012x}"
    facts: dict[str, Any] = {
        "lobby_id": lobby_id,
        "variant": "classic",
        "server_seed": server_seed.hex(),
        "server_seed_hash": seed_hash(server_seed),
        "players": PLAYERS,
        "arranged": {},
        "entropy": ENTROPY,
        "numbers_called": list(call_order(server_seed, lobby_id, ENTROPY, 50)[:10]),
        "winner": None,
        "pattern": None,
        "log_hash": "00" * 32,
    }
    return {**facts, "proof_hash": proof_hash(facts)}


def row(game: int, shown: dict[str, Any] | None) -> dict[str, Any]:
    """A game in the books that ended so many minutes after `T0`."""
    at = T0 + timedelta(minutes=game)
    return {
        "lobby_id": f"lobby_3500_{game:012x}",
        "table_name": "3500",
        "buy_in_amount": 3500,
        "variant": "classic",
        "outcome": "no_winner" if shown else "cancelled",
        "pot": 0,
        "player_count": 2,
        "calls": 10,
        "created_at": at,
        "finished_at": at,
        "server_seed_hash": "h",
        "log_hash": "h",
        "proof": shown,
    }


@pytest.fixture
async def books(books_url: str, variables: dict[str, str]) -> AsyncIterator[Books]:
    """The books that the command looks into."""
    variables["DATABASE_URL"] = books_url
    async with open_books(books_url) as books:
        yield books


async def fill(books: Books, rows: list[dict[str, Any]]) -> None:
    """Put games into the books."""
    async with books.begin() as connection:
        await connection.execute(insert(games), rows)


async def test_fair_draws_pass_and_others_are_not_asked_for(books: Books, fair_bingo: Run) -> None:
    fair = [row(game, proof(game, seed(game, 0))) for game in range(COUNT)]
    await fill(books, [*fair, row(COUNT, None)])
    code, said = await fair_bingo("draws", "--json")
    found = json.loads(said)["variants"]["classic"]
    assert (code, found["draws"], found["degrees"]) == (0, COUNT, 49 * 49)
    assert found["p"] > 0.001
    assert [sum(counts) for counts in found["counts"]] == [COUNT] * 50

    since = (T0 + timedelta(minutes=200)).strftime("%Y-%m-%dT%H:%M:%S")
    code, said = await fair_bingo("draws", "--since", since)
    assert code == 0
    assert "100 draws" in said
    assert "too few" in said


async def test_a_house_that_picks_its_seeds_is_found(books: Books, fair_bingo: Run) -> None:
    def picked(game: int) -> dict[str, Any]:
        """Of two proofs the one whose first number is the lower."""
        both = (proof(game, seed(game, attempt)) for attempt in range(2))
        return min(both, key=lambda each: int(each["numbers_called"][0]))

    await fill(books, [row(game, picked(game)) for game in range(COUNT)])
    code, said = await fair_bingo("draws")
    assert code == 1
    assert "position 1:" in said
    assert "does not hold" not in said


async def test_a_proof_that_does_not_hold_is_named(books: Books, fair_bingo: Run) -> None:
    biased = proof(1, seed(1, 0)) | {"numbers_called": [*range(1, 11)]}
    await fill(books, [row(0, proof(0, seed(0, 0))), row(1, biased)])
    code, said = await fair_bingo("draws")
    assert code == 1
    assert "lobby_3500_000000000001: the proof does not hold: " in said


async def test_without_books_it_ends_with_an_error(fair_bingo: Run) -> None:
    code, said = await fair_bingo("draws")
    assert code == 2
    assert "DATABASE_URL" in said
