"""Whether what stands in the store is, in the published forms, the lobby that it should be."""

import json
from dataclasses import fields
from typing import Any

from server.rules.lobby import Lobby, Player, due_at
from server.rules.proofs import proof
from server.store import keys
from tests.support.store_content import Content

TEXTS = ("lobby_id", "status", "winner", "outcome", "pattern", "server_seed")
NUMBERS = ("buy_in_amount", "pot", "created_at", "started_at", "finished_at", "deadline")


def assert_agrees(content: Content, lobby: Lobby) -> None:
    """The hashes, the list, the indexes and the proof of a lobby that is alone in its store."""
    over = lobby.status == "finished"
    _assert_lobby_agrees(content[keys.lobby(lobby.lobby_id)], lobby)
    for player in lobby.players.values():
        stored = content[keys.player(lobby.lobby_id, player.alien_id)]
        _assert_player_agrees(stored, player, expires=over)
    held = {key for key in content if ":player:" in key}
    assert held == {keys.player(lobby.lobby_id, alien_id) for alien_id in lobby.players}
    called = [str(number) for number in lobby.called]
    assert content.get(keys.numbers_called(lobby.lobby_id), ([], over)) == (called, over)
    assert content[keys.events(lobby.lobby_id)][1] == over
    proven = proof(lobby)
    expected = None if proven is None else (proven.model_dump_json(), True)
    assert content.get(keys.proof(lobby.lobby_id)) == expected
    _assert_indexes_agree(content, lobby)


def _assert_lobby_agrees(stored: tuple[dict[str, str], bool], lobby: Lobby) -> None:
    found, expires = stored
    assert expires == (lobby.status == "finished")
    for name in TEXTS:
        assert found[name] == (getattr(lobby, name) or "")
    # A version that knows no beacons takes the order from the seed and `entropy`.
    entropy = "entropy" if lobby.beacon is None else "entropy_before_beacon"
    assert found[entropy] == (lobby.entropy or "")
    assert ("beacon" in found, "entropy" in found) == (lobby.beacon is not None, not lobby.beacon)
    for name in NUMBERS:
        assert found[name] == _json(getattr(lobby, name))


def _assert_player_agrees(
    stored: tuple[dict[str, str], bool], player: Player, *, expires: bool
) -> None:
    found, does_expire = stored
    assert does_expire == expires
    assert set(found) == {field.name for field in fields(player)}
    assert found["alien_id"] == player.alien_id
    assert found["active"] == ("true" if player.active else "false")
    assert found["paid"] == ("true" if player.paid else "false")
    assert found["joined_at"] == str(player.joined_at)
    assert found["numbers"] == _json(player.numbers)
    assert found["grid"] == _json(player.grid)


def _assert_indexes_agree(content: Content, lobby: Lobby) -> None:
    forming, due, table = lobby.status == "forming", due_at(lobby), str(lobby.buy_in_amount)
    assert _scores(content, keys.active_lobbies(table)) == ([lobby.created_at] if forming else [])
    assert _scores(content, keys.timers(table)) == ([] if due is None else [due])
    assert len(_scores(content, keys.openings(table))) == (forming and not lobby.full)
    seated = {keys.seats(table, alien_id) for alien_id in lobby.players} if forming else set()
    assert {key for key in content if key.startswith("seats:")} == seated


def _scores(content: Content, key: str) -> list[float]:
    return [score for _, score in content[key][0]] if key in content else []


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"))
