"""The table of states is all there is."""

from itertools import product

import pytest

from protocol.views import Status
from server.rules import events
from server.rules.evolve import evolve
from server.rules.lifecycle import TRANSITIONS, IllegalStep, next_status
from tests.rules.endings import won
from tests.rules.games import AWAITED, CLASSIC, active, arranging, forming, ticket

LEGAL: dict[Status, set[Status]] = {
    "forming": {"arranging", "finished"},
    "arranging": {"active", "finished"},
    "active": {"finished"},
    "finished": set(),
}
BEACON_EVENTS: list[events.Event] = [
    events.BeaconChosen(AWAITED.chain, 1),
    events.BeaconAwaited("00" * 32, 1, 0, 1),
    events.BeaconMixed(1, "00" * 48, 1),
]
EVENTS: list[events.Event] = [
    events.LobbyOpened("lobby_3500_000000000001", 3500, CLASSIC, "00" * 32, 0, 1),
    events.SeatTaken("cy", "", "invoice", 0, 1, False),
    events.SeatPaid("ann", "invoice", "tx", False),
    events.PlayerLeft("ann", "left"),
    events.FormingExtended(1),
    events.ArrangingBegan(1),
    events.NumbersSelected("ann", tuple(range(1, 10))),
    events.GridArranged("ann", ticket(1)),
    events.GameStarted("00" * 32, 0, 1),
    events.NumberCalled(1, 1),
    events.PlayerKicked("ann", (1,)),
    events.GameFinished("no_winner", None, None, 1),
]


GAMES = {
    game.lobby.status: game
    for game in (forming("ann"), arranging("ann", "bob"), active("ann", "bob"), won())
}


def test_the_states_follow_each_other_in_one_way_only() -> None:
    for status, row in TRANSITIONS.items():
        if status is not None:
            assert set(row.values()) - {status} == LEGAL[status]
    assert TRANSITIONS[None] == {events.LobbyOpened: "forming"}


@pytest.mark.parametrize(
    ("status", "event"),
    [*product(GAMES, EVENTS)],
    ids=lambda x: x if isinstance(x, str) else type(x).__name__,
)
def test_an_event_happens_where_the_table_has_it_and_changes_nothing_elsewhere(
    status: Status, event: events.Event
) -> None:
    lobby = GAMES[status].lobby
    before = repr(lobby)
    if type(event) in TRANSITIONS[status]:
        assert evolve(lobby, event).status == TRANSITIONS[status][type(event)]
    else:
        with pytest.raises(IllegalStep, match=type(event).__name__):
            evolve(lobby, event)
    assert repr(lobby) == before


def test_a_beacon_is_chosen_once_then_awaited_then_mixed_in_before_any_number_is_called() -> None:
    chosen, awaited, mixed = BEACON_EVENTS
    start, call = events.GameStarted("00" * 32, 0, 1), events.NumberCalled(1, 1)
    without, before = forming("ann").lobby, arranging("ann", "bob", beacon=AWAITED).lobby
    evolve(without, chosen)
    waiting = evolve(before, awaited)
    going_on = evolve(waiting, mixed)
    evolve(going_on, call)
    illegal = [
        (evolve(without, chosen), chosen),
        (arranging("ann", "bob").lobby, awaited),
        (before, start),
        (waiting, call),
        (waiting, events.BeaconMixed(2, "00" * 48, 1)),
        (going_on, mixed),
        (active("ann", "bob").lobby, mixed),
    ]
    for lobby, event in illegal:
        with pytest.raises(IllegalStep, match=type(event).__name__):
            evolve(lobby, event)


@pytest.mark.parametrize(
    "event", [*EVENTS[1:], *BEACON_EVENTS], ids=lambda event: type(event).__name__
)
def test_nothing_happens_in_a_lobby_that_is_not_open(event: events.Event) -> None:
    with pytest.raises(IllegalStep, match="not open"):
        evolve(None, event)
    with pytest.raises(IllegalStep, match="not open"):
        next_status(None, event)
