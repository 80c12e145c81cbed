"""A tier that an operator takes out of the settings, as players and the operator meet it."""

import json

from tests.support.wait import until
from tests.system.conftest import Run, Serve
from tests.system.game_server import GameServer, HttpAnswer

WITHDRAWN = 7000
OWED = f'fair_bingo_owed_coins{{kind="refund_owed",tier="{WITHDRAWN}"}} {WITHDRAWN}.0'


async def test_what_was_begun_in_a_tier_that_is_withdrawn_goes_on_and_stays_in_the_books(
    serve: Serve, fair_bingo: Run, variables: dict[str, str]
) -> None:
    before: GameServer = await serve()
    left = await before.seat("erin", buy_in_amount=WITHDRAWN)
    await before.leave(left, "erin")
    lobby_id = await before.seat("alice", buy_in_amount=WITHDRAWN)
    held = await before.join("bob", WITHDRAWN)

    variables["BUY_IN_TIERS"] = "3500"
    game: GameServer = await serve()
    assert (await invoice(game, "bob", lobby_id)).body == held["invoice"]
    for refused in (
        await invoice(game, "carol", lobby_id),
        await game.post_again("/api/game/join", "bob", {"buy_in_amount": WITHDRAWN}),
    ):
        assert refused is not None
        assert (refused.status, refused.body["code"]) == (400, "unknown_tier")
    await game.pay(held["invoice"])
    await game.arrange(lobby_id, "alice", "bob")
    async with game.visitor("alice") as alice:
        await alice.enter(lobby_id)
        await alice.receives("lobby_state", status="active")
    async with game.visitor("carol") as carol:
        await carol.enter("lobbies")
        await carol.receives("lobbies", lobbies=[])

    await until(lambda: shows_the_debt(game))
    code, output = await fair_bingo("audit")
    assert code == 0, output
    assert f"{WITHDRAWN}: 8 entries, received {3 * WITHDRAWN}" in output
    _, listed = await fair_bingo("ledger", "list", "--owed", "--json")
    assert [json.loads(line)["lobby_id"] for line in listed.splitlines()] == [left]


async def shows_the_debt(game: GameServer) -> bool:
    return OWED in (await game.get("/metrics")).body.decode()


async def invoice(game: GameServer, name: str, lobby_id: str) -> HttpAnswer:
    """What a player is shown of the invoice for a seat."""
    body = {"buy_in_amount": WITHDRAWN, "lobby_id": lobby_id}
    answer = await game.post_again("/api/invoices", name, body)
    assert answer is not None
    return answer
