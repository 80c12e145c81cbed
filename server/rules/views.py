"""What may be seen of a lobby: by everyone, by a player, by the room when something happens.

What is sent at each change is made as it stands in JSON, without the models of `protocol`: to check
it field by field took longer than to make it. That it is what they say is tested with any game.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, assert_never

from protocol.to_client import GameFinished
from protocol.views import Invoice, LobbyView, Patterns, Rules, You
from server.rules import events
from server.rules.beacon import LobbyBeacon, randomness
from server.rules.draw import seed_hash
from server.rules.lobby import Lobby
from server.rules.proofs import proof
from server.rules.variants import Variant

Fields = dict[str, Any]
"""A message as it stands in JSON."""
RoomMessage = tuple[str, Fields]
"""An event to the room: its name, and its fields beside `seq` and `at`."""


def public_view(lobby: Lobby, seq: int) -> LobbyView:
    """The lobby as everyone sees it after its room event `seq`."""
    return LobbyView(**public_fields(lobby, seq))


def public_fields(lobby: Lobby, seq: int) -> Fields:
    """The public view as it stands in JSON."""
    called, beacon = lobby.called, lobby.beacon
    players = [
        {
            "alien_id": player.alien_id,
            "paid": player.paid,
            "ready": player.ready,
            "active": player.active,
        }
        for player in lobby.players.values()
    ]
    return {
        "lobby_id": lobby.lobby_id,
        "rules": _rules_fields(lobby.variant),
        "status": lobby.status,
        "buy_in_amount": lobby.buy_in_amount,
        "pot": lobby.pot,
        "player_count": len(players),
        "active_players": _active_count(lobby),
        "players": players,
        "latest_number": called[-1] if called else None,
        "previous_number": called[-2] if len(called) > 1 else None,
        "winner": lobby.winner,
        "outcome": lobby.outcome,
        "created_at": lobby.created_at,
        "started_at": lobby.started_at,
        "finished_at": lobby.finished_at,
        "deadline": lobby.deadline,
        **({} if beacon is None else {"beacon": _beacon_fields(beacon)}),
        "server_seed_hash": _seed_hash(lobby.server_seed),
        "seq": seq,
    }


@cache
def rules_view(variant: Variant) -> Rules:
    """What a lobby of that variant plays by, as far as it concerns those who play."""
    return Rules(
        variant=variant.name,
        side=variant.side,
        highest=variant.highest,
        min_players=variant.min_players,
        max_players=variant.max_players,
    )


@cache
def _rules_fields(variant: Variant) -> Mapping[str, Any]:
    return rules_view(variant).model_dump()


@cache
def patterns_view(variant: Variant) -> Patterns:
    """What wins in a lobby of that variant."""
    return {name: list(cells) for name, cells in variant.patterns.items()}


def own_view(lobby: Lobby, alien_id: str, invoice: Invoice | None) -> You:
    """What `alien_id` sees of themselves."""
    shown = None if invoice is None else invoice.model_dump()
    return You(**own_fields(lobby, alien_id, shown))


def own_fields(lobby: Lobby, alien_id: str, invoice: Fields | None) -> Fields:
    """What `alien_id` sees of themselves, as it stands in JSON."""
    player = lobby.players.get(alien_id)
    if player is None:
        return {"role": "spectator"} | ({} if invoice is None else {"invoice": invoice})
    return {
        "role": "player",
        "paid": player.paid,
        "active": player.active,
        "numbers": player.numbers,
        "grid": player.grid,
        "invoice": invoice,
    }


def room_event(before: Lobby | None, event: events.Event, after: Lobby) -> RoomMessage | None:
    """The event that is sent to the room; None when it concerns one player only."""
    match event:
        case events.SeatTaken(alien_id=alien_id):
            return "player_joined", _seat_facts(after, alien_id)
        case events.SeatPaid(alien_id=alien_id):
            return "player_paid", _seat_facts(after, alien_id)
        case events.PlayerLeft(alien_id=alien_id, reason=reason):
            return "player_left", _seat_facts(after, alien_id) | {"reason": reason}
        case events.GridArranged(alien_id=alien_id):
            again = before is not None and before.players[alien_id].ready
            return None if again else ("player_ready", _seat_facts(after, alien_id))
        case events.FormingExtended():
            return "status_changed", {"status": "forming", "deadline": after.deadline}
        case events.ArrangingBegan():
            return "status_changed", {"status": "arranging", "deadline": after.deadline}
        case events.GameStarted() | events.BeaconAwaited():
            started: Fields = {"status": "active", "deadline": after.deadline}
            named = {} if after.beacon is None else {"beacon": _beacon_fields(after.beacon)}
            return "status_changed", started | named
        case events.BeaconMixed(round=round, signature=signature):
            value = randomness(signature)
            return "beacon_mixed", {"round": round, "signature": signature, "randomness": value}
        case events.NumberCalled(number=number):
            previous = after.called[-2] if len(after.called) > 1 else None
            index = len(after.called)
            return "number_called", {"number": number, "previous": previous, "index": index}
        case events.PlayerKicked(alien_id=alien_id):
            left = _active_count(after)
            return "player_kicked", {"alien_id": alien_id, "active_players": left}
        case events.GameFinished():
            return "game_finished", _finished(after).model_dump()
        case events.LobbyOpened() | events.BeaconChosen() | events.NumbersSelected():
            return None
    assert_never(event)


def _finished(lobby: Lobby) -> GameFinished:
    played = lobby.outcome not in events.CALLED_OFF
    return GameFinished(
        outcome=lobby.outcome or "cancelled",
        winner=lobby.winner,
        pattern=lobby.pattern,
        pot=lobby.pot,
        numbers_called=list(lobby.called) if played else [],
        grids={p.alien_id: p.rows for p in lobby.paid_players()} if played else {},
        proof=proof(lobby),
        log_hash=lobby.log_hash,
    )


@lru_cache(maxsize=4096)
def _seed_hash(server_seed: str) -> str:
    return seed_hash(bytes.fromhex(server_seed))


def _beacon_fields(beacon: LobbyBeacon) -> Fields:
    return {"chain_hash": beacon.chain.chain_hash, "round": beacon.round}


def _active_count(lobby: Lobby) -> int:
    return sum([player.active for player in lobby.players.values()])


def _seat_facts(lobby: Lobby, alien_id: str) -> Fields:
    return {"alien_id": alien_id, "player_count": len(lobby.players), "pot": lobby.pot}
