"""What may be seen of a lobby: by everyone, by a player, by the room when something happens."""

from functools import cache

from protocol.to_client import (
    BeaconMixed,
    GameFinished,
    NumberCalled,
    PlayerJoined,
    PlayerKicked,
    PlayerLeft,
    PlayerPaid,
    PlayerReady,
    RoomEvent,
    StatusChanged,
)
from protocol.views import BeaconView, Invoice, LobbyView, Patterns, PlayerView, Rules, You
from server.rules import events
from server.rules.beacon import randomness
from server.rules.draw import seed_hash
from server.rules.lobby import Lobby, Player
from server.rules.proofs import proof
from server.rules.variants import Variant


def public_view(lobby: Lobby, seq: int) -> LobbyView:
    """The lobby as everyone sees it after its room event `seq`."""
    return LobbyView(
        lobby_id=lobby.lobby_id,
        rules=rules_view(lobby.variant),
        status=lobby.status,
        buy_in_amount=lobby.buy_in_amount,
        pot=lobby.pot,
        player_count=len(lobby.players),
        active_players=_active_count(lobby),
        players=[_player_view(player) for player in lobby.players.values()],
        latest_number=lobby.called[-1] if lobby.called else None,
        previous_number=lobby.called[-2] if len(lobby.called) > 1 else None,
        winner=lobby.winner,
        outcome=lobby.outcome,
        created_at=lobby.created_at,
        started_at=lobby.started_at,
        finished_at=lobby.finished_at,
        deadline=lobby.deadline,
        beacon=_beacon_view(lobby),
        server_seed_hash=seed_hash(bytes.fromhex(lobby.server_seed)),
        seq=seq,
    )


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
def patterns_view(variant: Variant) -> Patterns:
    """What wins in a lobby of that variant."""
    return {name: list(cells) for name, cells in variant.patterns.items()}


def own_view(lobby: Lobby, alien_id: str, invoice: Invoice | None) -> You:
    """What `alien_id` sees of themselves."""
    player = lobby.players.get(alien_id)
    if player is None:
        return You(role="spectator", invoice=invoice)
    return You(
        role="player",
        paid=player.paid,
        active=player.active,
        numbers=None if player.numbers is None else list(player.numbers),
        grid=None if player.grid is None else [list(row) for row in player.grid],
        invoice=invoice,
    )


def room_event(before: Lobby | None, event: events.Event, after: Lobby) -> RoomEvent | None:
    """The event that is sent to the room; None when it concerns one player only."""
    match event:
        case events.SeatTaken(alien_id=alien_id):
            return PlayerJoined(**_seat_facts(after, alien_id))
        case events.SeatPaid(alien_id=alien_id):
            return PlayerPaid(**_seat_facts(after, alien_id))
        case events.PlayerLeft(alien_id=alien_id, reason=reason):
            return PlayerLeft(**_seat_facts(after, alien_id), reason=reason)
        case events.GridArranged(alien_id=alien_id):
            again = before is not None and before.players[alien_id].ready
            return None if again else PlayerReady(**_seat_facts(after, alien_id))
        case events.FormingExtended():
            return StatusChanged(status="forming", deadline=after.deadline)
        case events.ArrangingBegan():
            return StatusChanged(status="arranging", deadline=after.deadline)
        case events.GameStarted() | events.BeaconAwaited():
            beacon = _beacon_view(after)
            return StatusChanged(status="active", deadline=after.deadline, beacon=beacon)
        case events.BeaconMixed(round=round, signature=signature):
            value = randomness(signature)
            return BeaconMixed(round=round, signature=signature, randomness=value)
        case events.NumberCalled(number=number):
            previous = after.called[-2] if len(after.called) > 1 else None
            return NumberCalled(number=number, previous=previous, index=len(after.called))
        case events.PlayerKicked(alien_id=alien_id):
            return PlayerKicked(alien_id=alien_id, active_players=_active_count(after))
        case events.GameFinished():
            return _finished(after)
        case events.LobbyOpened() | events.BeaconChosen() | events.NumbersSelected():
            return None


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


def _beacon_view(lobby: Lobby) -> BeaconView | None:
    beacon = lobby.beacon
    if beacon is None:
        return None
    return BeaconView(chain_hash=beacon.chain.chain_hash, round=beacon.round)


def _active_count(lobby: Lobby) -> int:
    return sum(1 for _ in lobby.active_players())


def _player_view(player: Player) -> PlayerView:
    return PlayerView(
        alien_id=player.alien_id, paid=player.paid, ready=player.ready, active=player.active
    )


def _seat_facts(lobby: Lobby, alien_id: str) -> dict[str, str | int]:
    return {"alien_id": alien_id, "player_count": len(lobby.players), "pot": lobby.pot}
