"""The transcript of a game: each step of its log as a line for people, without any secret."""

from datetime import UTC, datetime
from typing import assert_never

from server.rules.beacon import randomness
from server.rules.events import (
    ArrangingBegan,
    BeaconAwaited,
    BeaconChosen,
    BeaconMixed,
    Event,
    FormingExtended,
    GameFinished,
    GameStarted,
    GridArranged,
    LobbyOpened,
    NumberCalled,
    NumbersSelected,
    PlayerKicked,
    PlayerLeft,
    SeatPaid,
    SeatTaken,
)
from server.rules.lobby import Lobby
from server.store.replay import Step


def transcript_line(step: Step) -> str:
    """The step's id, its time (UTC) and what happened, on one line. Names are quoted as Python
    does, so that nothing in them reaches the terminal."""
    at = datetime.fromtimestamp(step.record.position.at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
    return f"{step.record.position.id:>6}  {at}  {in_words(step)}"


def in_words(step: Step) -> str:
    """What happened, without its id and time."""
    return _words(step.record.event, step.lobby)


def _words(event: Event, lobby: Lobby) -> str:
    match event:
        case LobbyOpened(lobby_id=lobby_id, buy_in_amount=amount, variant=variant):
            return f"{lobby_id} opens: {variant.name}, {amount} coins a seat"
        case BeaconChosen() | BeaconAwaited() | BeaconMixed():
            return _beacon_words(event, lobby)
        case SeatTaken(alien_id=alien_id):
            return f"{alien_id!r} takes a seat"
        case SeatPaid(alien_id=alien_id):
            return f"{alien_id!r} pays: {lobby.pot} coins in the pot"
        case PlayerLeft(alien_id=alien_id, reason=reason):
            return f"{alien_id!r} is out ({reason}): {lobby.pot} coins in the pot"
        case FormingExtended():
            return "too few have paid: forming goes on"
        case ArrangingBegan():
            return f"the {len(lobby.players)} players arrange their tickets"
        case NumbersSelected(alien_id=alien_id):
            return f"{alien_id!r} has chosen numbers"
        case GridArranged(alien_id=alien_id, by_server=by_server):
            helped = {None: "", "arranged": " by the server", "picked": " and chosen by the server"}
            return f"the ticket of {alien_id!r} is arranged{helped[by_server]}"
        case GameStarted():
            return f"the game starts for {lobby.pot} coins"
        case NumberCalled(number=number):
            return f"call {len(lobby.called)}: {number}"
        case PlayerKicked(alien_id=alien_id, missing_numbers=missing):
            lacking = ", ".join(map(str, missing))
            return f"{alien_id!r} claims falsely and is removed: {lacking} not called"
        case GameFinished():
            return _end_words(event, lobby)
    assert_never(event)


def _beacon_words(event: BeaconChosen | BeaconAwaited | BeaconMixed, lobby: Lobby) -> str:
    match event:
        case BeaconChosen(chain=chain):
            return f"the order will wait for the beacon {chain.chain_hash}"
        case BeaconAwaited(round=round):
            return f"the game starts for {lobby.pot} coins and waits for the beacon's round {round}"
        case BeaconMixed(round=round, signature=signature):
            return f"round {round} of the beacon is {randomness(signature)}"
    assert_never(event)


def _end_words(event: GameFinished, lobby: Lobby) -> str:
    match event.outcome:
        case "won":
            return f"{event.winner!r} wins {lobby.pot} coins with {event.pattern}"
        case "no_winner":
            return f"nobody wins: the house keeps {lobby.pot} coins"
        case "cancelled":
            return "the lobby is cancelled"
        case "voided":
            return "it is voided: everything that was paid in is owed back"
    assert_never(event.outcome)
