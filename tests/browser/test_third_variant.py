"""A variant that the page does not know is played by what its lobby says."""

import json
import re

import pytest

from server.rules.variants import SHAPES
from server.rules.verify import verify_proof
from tests.browser.conftest import Enter, Serve
from tests.support.third_variant import CORNERS, NAME, TIER

NAMES = "|".join(name.replace("_", " ") for name in CORNERS.patterns)
OFFER = "from tests.support.third_variant import offer; offer(world)"


async def test_a_third_variant_is_won_in_the_page_which_checks_its_proof(
    serve: Serve, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await serve(prepare=OFFER)
    ann = await enter(world, "ann")
    async with world.company("bot-1", tier=TIER) as lobby_id:
        assert await world.join("ann", TIER) == lobby_id
        await ann.arrive(lobby_id)
        await ann.pay(ticket_size=16)
        assert await ann.page.locator(".ball").count() == 60
        ticket = await ann.print_a_ticket()
        await ann.play_until_won(world, lobby_id, ticket)
        await ann.sees("You won 8,000 coins")
        await ann.sees(re.compile(rf"true claim with ({NAMES}), after \d+ calls"))
        await ann.sees("The seal fits. Every check holds.")
        assert await ann.page.locator(".ticket .won").count() == 4
        await ann.shoot("third-variant")
        proof = await ann.page.evaluate(
            "fetch(`/api/game/${location.hash.slice(1)}/proof`).then((answer) => answer.text())"
        )
    monkeypatch.setitem(SHAPES, NAME, CORNERS)
    assert verify_proof(json.loads(proof)) == []
