"""What is sent to the room, and when."""

from protocol.to_client import (
    GameFinished,
    NumberCalled,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    StatusChanged,
)
from server.rules.commands import ArrangeGrid, Claim, Leave, SelectNumbers
from server.rules.events import EMPTY_LOG_HASH
from server.rules.proofs import proof
from server.rules.views import public_view
from tests.rules.brute_force import first_complete
from tests.rules.endings import cancelled, voided, won
from tests.rules.games import (
    BUY_IN,
    CLASSIC,
    OPENED_AT_MS,
    Game,
    active,
    forming,
    rows,
    ticket,
)
from tests.rules.spectator import Spectator


def test_the_room_is_sent_seats_payments_and_leaving_with_the_count_and_the_pot_after() -> None:
    game = Game()
    game.seat("ann")
    game.sit("bob")
    game.do(Leave("bob"))
    game.do(Leave("ann"))
    assert game.room_events == [
        PlayerJoined(alien_id="ann", player_count=1, pot=0),
        PlayerPaid(alien_id="ann", player_count=1, pot=3_500),
        PlayerJoined(alien_id="bob", player_count=2, pot=3_500),
        PlayerLeft(alien_id="bob", player_count=1, pot=3_500, reason="left"),
        PlayerLeft(alien_id="ann", player_count=0, pot=0, reason="left"),
    ]


def test_the_room_is_sent_why_somebody_left() -> None:
    game = forming("ann", "bob")
    game.sit("cy", "dee")
    invoice = game.lobby.invoices["cy"]
    game.deliver(invoice, game.failure(invoice))
    game.tick(after_ms=100_000)
    game.sit("eve")
    game.tick_when_due()
    reasons = [(e.alien_id, e.reason) for e in game.room_events if isinstance(e, PlayerLeft)]
    assert reasons == [("cy", "payment_failed"), ("dee", "expired"), ("eve", "unpaid")]


def test_choosing_numbers_is_nobody_elses_business() -> None:
    game = forming("ann")
    sent = len(game.room_events)
    game.do(SelectNumbers("ann", tuple(range(1, 10))))
    assert len(game.room_events) == sent


def test_the_room_is_sent_once_that_a_player_is_ready() -> None:
    game = forming("ann")
    game.do(ArrangeGrid("ann", ticket(1)))
    game.do(ArrangeGrid("ann", ticket(1)[::-1]))
    ready = PlayerReady(alien_id="ann", player_count=1, pot=3_500)
    assert [e for e in game.room_events if isinstance(e, PlayerReady)] == [ready]


def test_the_room_is_sent_each_change_of_status_with_its_deadline() -> None:
    game = forming("ann")
    game.tick_when_due()
    game.seat("bob")
    game.tick_when_due()
    game.tick_when_due()
    begun = OPENED_AT_MS + 2 * CLASSIC.formation_ms
    assert [e for e in game.room_events if isinstance(e, StatusChanged)] == [
        StatusChanged(status="forming", deadline=begun),
        StatusChanged(status="arranging", deadline=begun + CLASSIC.arranging_ms),
        StatusChanged(status="active", deadline=None),
    ]


def test_the_room_is_sent_each_number_with_the_one_before_and_its_place() -> None:
    game = active("ann", "bob")
    for _ in range(3):
        game.tick_when_due()
    first, second, third = game.lobby.called
    assert game.room_events[-3:] == [
        NumberCalled(number=first, previous=None, index=1),
        NumberCalled(number=second, previous=first, index=2),
        NumberCalled(number=third, previous=second, index=3),
    ]


def test_the_room_is_sent_who_was_kicked_and_how_many_still_play() -> None:
    game = active("ann", "bob", "cy")
    game.do(Claim("ann"))
    assert game.room_events[-1] == PlayerKicked(alien_id="ann", active_players=2)


def test_the_end_of_a_game_that_was_won_reveals_everything() -> None:
    game = won()
    assert game.room_events[-1] == GameFinished(
        outcome="won",
        winner="ann",
        pattern=first_complete(game.lobby.players["ann"].grid or (), game.lobby.called),
        pot=14_000,
        numbers_called=[*game.lobby.called],
        grids={player: rows(game, player) for player in ("ann", "bob", "cy", "dee")},
        proof=proof(game.lobby),
        log_hash=EMPTY_LOG_HASH,
    )


def test_the_end_of_a_game_that_nobody_won_has_the_pot_that_is_kept() -> None:
    game = active("ann", "bob")
    game.do(Leave("ann"))
    game.do(Leave("bob"))
    end = game.room_events[-1]
    assert isinstance(end, GameFinished)
    assert (end.outcome, end.winner, end.pattern, end.pot) == ("no_winner", None, None, 7_000)
    assert end.grids.keys() == {"ann", "bob"}
    assert end.proof == proof(game.lobby)
    assert end.proof is not None


def test_the_end_of_a_cancelled_lobby_reveals_nothing() -> None:
    assert cancelled().room_events[-1] == GameFinished(
        outcome="cancelled",
        winner=None,
        pattern=None,
        pot=0,
        numbers_called=[],
        grids={},
        proof=None,
        log_hash=EMPTY_LOG_HASH,
    )


def test_the_end_of_a_voided_game_reveals_no_secret() -> None:
    assert voided().room_events[-1] == GameFinished(
        outcome="voided",
        winner=None,
        pattern=None,
        pot=0,
        numbers_called=[],
        grids={},
        proof=None,
        log_hash=EMPTY_LOG_HASH,
    )


def test_the_public_view_follows_from_all_events() -> None:
    for game in (won(), cancelled(), voided()):
        spectator = Spectator(BUY_IN)
        for event in game.room_events:
            spectator.receive(event)
        spectator.agrees_with(public_view(game.lobby, seq=len(game.room_events)))
