"""An installed client reads what a server of the next or of an earlier version sends."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from protocol import to_client
from protocol.errors import ErrorAnswer, ErrorCode
from protocol.example_game import LOBBY_ID
from protocol.examples import TO_CLIENT
from protocol.reading import read
from protocol.views import LobbyView, PlayerView
from server.rules.views import patterns_view, rules_view
from tests.rules.games import CLASSIC

FREE_NAMES = {"patterns", "grids", "arranged"}
STATE = TO_CLIENT[to_client.LobbyState]


def grown(message: Any, *, named: bool = True) -> Any:
    """A message of a newer server: each object in it has a field more."""
    if isinstance(message, list):
        return [grown(part) for part in message]
    if not isinstance(message, dict):
        return message
    more = {name: grown(value, named=name not in FREE_NAMES) for name, value in message.items()}
    return more | {"a_new_field": [{}]} if named else more


def without(message: Any, *names: str) -> Any:
    """A message of an older server: no object in it has such fields."""
    if isinstance(message, list):
        return [without(part, *names) for part in message]
    if not isinstance(message, dict):
        return message
    return {name: without(of, *names) for name, of in message.items() if name not in names}


READ = [model for model in TO_CLIENT if model.__module__ == to_client.__name__]


@pytest.mark.parametrize("model", READ)
def test_fields_that_are_not_known_are_of_no_matter(model: type[BaseModel]) -> None:
    assert read(model, grown(TO_CLIENT[model])) == read(model, TO_CLIENT[model])


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (to_client.LobbyState, {"status": "paused"}),
        (to_client.LobbyState, {"outcome": "shared"}),
        (to_client.PlayerLeft, {"reason": "bored"}),
        (to_client.GameFinished, {"outcome": "shared"}),
        (to_client.StatusChanged, {"status": "paused"}),
    ],
)
def test_words_that_are_not_known_are_read_as_they_are(
    model: type[BaseModel], changes: dict[str, str]
) -> None:
    said = TO_CLIENT[model] | changes
    read_as = read(model, said)
    assert {name: getattr(read_as, name) for name in changes} == changes
    with pytest.raises(ValidationError):  # nor does the server say such a word by itself
        model.model_validate(said, extra="ignore")
    with pytest.raises(ValidationError):
        read(model, said | dict.fromkeys(changes, 7))


def test_a_refusal_that_is_not_known_is_one() -> None:
    said = {"code": "banned", "message": "No.", "retry": False, "details": {"until": None}}
    refused = read(ErrorAnswer, {"ok": False, "error": said}).error
    assert (refused.code, refused.retry) == ("banned", False)
    known = read(ErrorAnswer, {"ok": False, "error": said | {"code": "not_paid"}}).error
    assert known.code is ErrorCode.NOT_PAID


@pytest.mark.parametrize(
    "model", [to_client.Lobbies, to_client.LobbyListed, to_client.JoinAnswer, to_client.SyncState]
)
def test_a_lobby_of_an_older_server_plays_by_the_first_rules(model: type[BaseModel]) -> None:
    said = TO_CLIENT[model]
    older = read(model, without(said, "rules", "patterns"))
    first = rules_view(CLASSIC).model_dump()
    assert older.model_dump(mode="json") == _with_rules(said, first)


def test_the_lines_of_the_first_rules_are_known() -> None:
    older = read(to_client.LobbyState, without(STATE, "rules", "patterns"))
    assert older.patterns == patterns_view(CLASSIC)
    assert list(older.patterns) == list(patterns_view(CLASSIC))
    assert older.lobby_id == LOBBY_ID
    assert all(isinstance(player, PlayerView) for player in older.players)
    assert isinstance(older, LobbyView)


def _with_rules(message: Any, rules: dict[str, Any]) -> Any:
    if isinstance(message, list):
        return [_with_rules(part, rules) for part in message]
    if not isinstance(message, dict):
        return message
    changed = {name: _with_rules(value, rules) for name, value in message.items()}
    return changed | {"rules": rules} if "rules" in changed else changed
