"""The proof of a finished game: all that is needed to check that nobody steered its draw."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from protocol.views import Proof
from server.rules.draw import ServerArranged, help_of_server, seed_hash
from server.rules.events import CALLED_OFF
from server.rules.lobby import Lobby, Player


def proof(lobby: Lobby) -> Proof | None:
    """The proof of a game that was played to its end; None before, and for one that
    was called off."""
    if lobby.outcome is None or lobby.outcome in CALLED_OFF or lobby.entropy is None:
        return None
    players = sorted(lobby.paid_players(), key=lambda player: player.alien_id)
    facts: dict[str, Any] = {
        "lobby_id": lobby.lobby_id,
        "variant": lobby.variant.name,
        "server_seed": lobby.server_seed,
        "server_seed_hash": seed_hash(bytes.fromhex(lobby.server_seed)),
        "players": [(p.alien_id, p.client_seed, p.rows) for p in players],
        "arranged": dict(_arranged(lobby, players)),
        "entropy": lobby.entropy,
        **_beacon(lobby),
        "numbers_called": list(lobby.called),
        "winner": lobby.winner,
        "pattern": lobby.pattern,
        "log_hash": lobby.log_hash,
    }
    return Proof(**facts, proof_hash=proof_hash(facts))


def proof_hash(facts: Mapping[str, Any]) -> str:
    """The hash (hex SHA-256) of all the rest of a proof: of the JSON text of its values in their
    order, `arranged` as a list of pairs in the order of the players."""
    helped = facts["arranged"]
    pairs = [(name, helped[name]) for name, _, _ in facts["players"] if name in helped]
    values = {**facts, "arranged": pairs}
    text = json.dumps(list(values.values()), separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _beacon(lobby: Lobby) -> dict[str, dict[str, Any]]:
    beacon = lobby.beacon
    if beacon is None:
        return {}
    return {
        "beacon": {
            "chain_hash": beacon.chain.chain_hash,
            "round": beacon.round,
            "signature": beacon.signature,
            "randomness": beacon.randomness,
        }
    }


def _arranged(lobby: Lobby, players: Iterable[Player]) -> Iterator[tuple[str, ServerArranged]]:
    seed, highest = bytes.fromhex(lobby.server_seed), lobby.variant.highest
    for player in players:
        grid = player.grid or ()
        given = help_of_server(seed, lobby.lobby_id, player.alien_id, grid, highest=highest)
        if given is not None:
            yield player.alien_id, given
