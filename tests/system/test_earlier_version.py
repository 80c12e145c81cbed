"""A game that an earlier version began, played to its end by this one.

`earlier/game.json` has the commands that make a store what commit 791322c left in it: a game of
alice, bob and carol after 8 calls, and a lobby that forms, where dave has paid, frank has not, and
erin has paid and left. Of that time are logs without hashes, hashes without `log_hash`, and
invoices without a `tx_hash`.
"""

import json
from pathlib import Path

import pytest
from redis.asyncio import Redis

from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.support.wait import until
from tests.system.conftest import Run
from tests.system.game_server import has_pattern, running_app, ticket
from tests.system.stored_ledger import StoredLedger

STORED = Path(__file__).with_name("earlier") / "game.json"
GAME = "lobby_3500_31ff6532f1a4"
FORMING = "lobby_3500_02e4320d73b2"
PAID_TOO_LITTLE = "17"


@pytest.fixture
async def earlier(store_url: str) -> None:
    """The store as the earlier version left it."""
    async with Redis.from_url(store_url) as redis, redis.pipeline(transaction=True) as commands:
        for command in json.loads(STORED.read_text()):
            commands.execute_command(*command)
        await commands.execute()


@pytest.mark.not_replayed  # byte for byte: fields that it did not have are still absent
@pytest.mark.usefixtures("earlier")
async def test_a_game_that_an_earlier_version_began_is_played_to_its_end(
    store_url: str,
    issuer: DevIssuer,
    provider: DevProvider,
    stored: StoredLedger,
    fair_bingo: Run,
    tmp_path: Path,
) -> None:
    assert (await fair_bingo("audit"))[0] == 0
    async with running_app(store_url, issuer, provider, HTTP_RATE="0") as server:
        async with server.visitor("alice") as alice:
            await alice.enter(GAME, last_seq=0)
            await until(lambda: has_pattern(ticket("alice"), alice.called))
            assert (await alice.ask("claim"))["winner"]
            finished = await alice.receives("game_finished")
            assert finished["pot"] == 10500
        answer = await server.get(f"/api/game/{GAME}/proof")
        assert (answer.status, answer.body) == (200, finished["proof"])
        verified = await fair_bingo("verify", f"{server.url}/api/game/{GAME}/proof")
        assert verified == (0, "The proof holds.\n")

        async def owed_back() -> bool:
            return {
                (entry["alien_id"], entry["kind"], entry["amount"])
                for _, entry in await stored.entries()
                if entry["kind"].endswith("owed")
            } == {
                ("carol", "refund_owed", PAID_TOO_LITTLE),
                ("erin", "refund_owed", "3500"),
                ("alice", "payout_owed", "10500"),
                ("dave", "refund_owed", "3500"),
            }

        await until(owed_back)
        status = (await server.get(f"/api/game/{FORMING}/status", "dave")).body
        assert (status["outcome"], status["you"]["invoice"]["owed"]) == ("cancelled", "3500")
        status = (await server.get(f"/api/game/{GAME}/status", "carol")).body
        assert status["you"]["invoice"]["owed"] == PAID_TOO_LITTLE

    for lobby_id in (GAME, FORMING):
        code, output = await fair_bingo("replay", lobby_id)
        assert (code, output.endswith("The log holds.\n")) == (0, True), output
    code, output = await fair_bingo("audit")
    assert (code, output.endswith("The ledger holds.\n")) == (0, True), output
    file = str(tmp_path / "game.json")
    assert (await fair_bingo("export", GAME, "--out", file))[0] == 0
    assert await fair_bingo("verify", file) == (0, "The proof holds.\n")


@pytest.mark.not_replayed
@pytest.mark.usefixtures("earlier")
@pytest.mark.parametrize("field", ["data", "at", "version"])
async def test_what_was_altered_in_it_is_found(
    stored: StoredLedger, fair_bingo: Run, field: str
) -> None:
    stream = f"lobby:{{3500}}:{GAME}:events"
    *records, (last_id, last) = await stored.redis.xrange(stream)
    altered = {"data": last["data"].replace("45", "44"), "at": "1.0", "version": "99"}
    assert altered[field] != last[field]
    await stored.redis.delete(stream)
    for record_id, fields in [*records, (last_id, last | {field: altered[field]})]:
        await stored.redis.xadd(stream, fields, record_id)
    code, output = await fair_bingo("audit")
    assert (code, f"{GAME}: " in output) == (1, True), output
