"""Every example that the documents show, sent to a server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from protocol import from_client
from protocol.documents.published import SyncEvents
from protocol.documents.route import Route
from protocol.documents.routes import ROUTES
from protocol.documents.sockets import ANSWERS, NAMESPACES
from protocol.errors import ErrorAnswer, ErrorBody
from protocol.examples import EXAMPLES
from protocol.from_client import FRONT_DESK_COMMANDS, LOBBY_COMMANDS, Auth
from protocol.history import ProfileRequest
from protocol.http import InvoiceRequest
from protocol.payments import SIGNATURE_HEADER, PaymentDelivery
from protocol.to_client import ClaimWon
from protocol.views import Proof, Request
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from tests.protocol.wire import schema_of
from tests.support.wait import until
from tests.system.game_server import (
    BUY_IN,
    WEBHOOK,
    GameServer,
    has_pattern,
    running_app,
    ticket,
)
from tests.system.visitor import Visitor
from tests.transport.http.documented import assert_documented

COMMANDS: dict[type[Request], str] = {
    model: name for name, model in (*FRONT_DESK_COMMANDS.items(), *LOBBY_COMMANDS.items())
}
BODIES: list[Route] = [
    route for route in ROUTES if route.body is not None and not route.path.startswith("/ops/")
]
"""What players and the payment provider send; operators have tests of their own."""


@pytest.fixture
async def game(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> AsyncIterator[GameServer]:
    """A server where two fill a lobby, which limits nobody and calls no number."""
    async with running_app(store_url, issuer, provider, HTTP_RATE="0") as game:
        yield game


async def test_the_examples_of_all_commands_play_a_game(game: GameServer) -> None:
    sent: set[type[Request]] = set()

    async def send(visitor: Visitor, command: type[Request]) -> Any:
        sent.add(command)
        answer = await visitor.answer(COMMANDS[command], EXAMPLES[command])
        schema_of(*ANSWERS[command]).validate(answer)
        return answer

    async with (
        game.visitor("ann") as desk,
        game.visitor("ann") as ann,
        game.visitor("bob") as bob,
    ):
        await desk.enter("lobbies")
        joined = await send(desk, from_client.Join)
        await send(desk, from_client.ListLobbies)
        await game.pay(joined["invoice"])
        lobby_id = joined["lobby"]["lobby_id"]
        for visitor in (ann, bob):
            await visitor.enter(lobby_id, last_seq=EXAMPLES[Auth]["last_seq"])
        await game.seat("bob")
        await send(ann, from_client.SelectNumbers)
        await send(ann, from_client.ArrangeGrid)
        await game.arrange(lobby_id, "bob")
        await send(ann, from_client.Sync)
        assert not (await send(ann, from_client.Claim))["valid"]
        await send(bob, from_client.Leave)
        await ann.receives("game_finished")
        assert_published("frontDesk", desk)
        assert_published("lobby", ann)
    assert sent == COMMANDS.keys() - {from_client.RefreshToken}


async def test_the_messages_of_a_game_that_is_won_conform_to_the_schema(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    async with (
        running_app(store_url, issuer, provider, CALL_INTERVAL_SECONDS="0.1") as game,
        game.visitor("alice") as alice,
    ):
        lobby_id = await game.seat("alice")
        await alice.enter(lobby_id)
        await game.seat("bob")
        await game.arrange(lobby_id, "alice", "bob")
        await until(lambda: has_pattern(ticket("alice"), alice.called))
        schema_of(ClaimWon).validate(await alice.answer("claim", {}))
        end = await alice.receives("game_finished", winner="alice")
        schema_of(Proof).validate(end["proof"])
        schema_of(SyncEvents).validate(await alice.answer("sync", {"last_seq": 0}))
        assert_published("lobby", alice)


def assert_published(namespace: str, visitor: Visitor) -> None:
    """Fail unless all that the visitor received is as the schema has it."""
    for name, message in visitor.received:
        schema_of(NAMESPACES[namespace].events[name]).validate(message)


async def test_the_token_of_the_examples_is_refused_as_documented(game: GameServer) -> None:
    token = EXAMPLES[Auth]["token"]
    async with game.visitor("ann", token) as stranger:
        error = await stranger.refused("lobbies")
        schema_of(ErrorBody).validate(error)
        assert error["code"] == "unauthorized"
    async with game.visitor("ann") as ann:
        await ann.enter("lobbies")
        answer = await ann.answer("refresh_token", EXAMPLES[from_client.RefreshToken])
        schema_of(ErrorAnswer).validate(answer)
        assert answer["error"]["code"] == "unauthorized"
        real = {"token": game.issuer.token("ann")}
        schema_of(*ANSWERS[from_client.RefreshToken]).validate(
            await ann.answer("refresh_token", real)
        )


async def test_the_examples_of_all_requests_play_a_game(game: GameServer) -> None:
    await game.pay((await game.join("ann"))["invoice"])
    lobby_id = await game.seat("bob")
    await game.arrange(lobby_id, "bob")
    # Those that name a seat or an invoice of their own, which this server never had, and books.
    unknown: set[type[BaseModel]] = {InvoiceRequest, PaymentDelivery, ProfileRequest}
    for route in BODIES:
        assert route.body is not None
        body = json.dumps(EXAMPLES[route.body]).encode()
        answer = await game.request(
            route.method.upper(),
            route.path.replace("{lobby_id}", lobby_id),
            None if route.path == WEBHOOK else "bob" if route.path.endswith("leave") else "ann",
            data=body,
            headers={SIGNATURE_HEADER: game.provider.sign(body)},
        )
        assert_documented(route.method, route.path, answer)
        expected = {404} if route.body in unknown else route.answers.keys()
        assert answer.status in expected, answer


async def test_the_answers_to_players_who_only_look_are_documented(game: GameServer) -> None:
    lobby_id = await game.ready("alice", "bob")
    for name in ("alice", "carol"):
        answer = await game.get(f"/api/game/{lobby_id}/status", name)
        assert_documented("get", "/api/game/{lobby_id}/status", answer)
    for name in ("alice", "bob"):
        assert (await game.post(f"/api/game/{lobby_id}/leave", name)).status == 200
    proof = await game.get(f"/api/game/{lobby_id}/proof")
    assert proof.status == 200
    assert_documented("get", "/api/game/{lobby_id}/proof", proof)


async def test_a_payment_is_answered_as_documented(game: GameServer) -> None:
    invoice = (await game.join("ann", BUY_IN))["invoice"]
    body = json.dumps(game.provider.payload(invoice)).encode()
    signed = {SIGNATURE_HEADER: game.provider.sign(body)}
    for _ in ("paid", "repeated"):
        answer = await game.request("POST", WEBHOOK, data=body, headers=signed)
        assert answer.status == 200
        assert_documented("post", WEBHOOK, answer)
