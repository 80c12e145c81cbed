"""How a client reads what a server sends that may be of another version than the client.

Of a newer one: fields that are not known are ignored, and so is that a word is none of those that
are known. Of an older one, which knew one variant only: its lobbies play by that.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import (
    BaseModel,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

_OF_ANY_VERSION: Final[Mapping[str, Any]] = {"of any version": True}

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], message: Any) -> M:
    """The message as that model. Raises pydantic.ValidationError if it is none, in any version."""
    complete = _complete(message)
    return model.model_validate(complete, extra="ignore", context=dict(_OF_ANY_VERSION))


def _newer_word(value: Any, validate: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return validate(value)
    except ValidationError:
        if info.context == _OF_ANY_VERSION and isinstance(value, str):
            return value
        raise


NEWER_WORDS: Final = WrapValidator(_newer_word)
"""Of a list of words to which a newer server may have added some: `read` takes those too."""

_LINES: Final = {
    **{f"row_{row}": [(row, column) for column in range(3)] for row in range(3)},
    **{f"col_{column}": [(row, column) for row in range(3)] for column in range(3)},
    "diag_lr": [(place, place) for place in range(3)],
    "diag_rl": [(place, 2 - place) for place in range(3)],
}
_FIRST: Final[dict[str, Any]] = {
    "rules": {
        "variant": "classic",
        "side": 3,
        "highest": 50,
        "min_players": 2,
        "max_players": 10,
    },
    "patterns": _LINES,
}
"""What a lobby plays by of which nobody says so."""


def _complete(message: Any) -> Any:
    """The message, and in each lobby what it plays by."""
    if isinstance(message, list):
        return [_complete(part) for part in message]
    if not isinstance(message, dict):
        return message
    lobbies = {name: _complete(message[name]) for name in message.keys() & _WITH_LOBBIES}
    is_lobby = "server_seed_hash" in message and "players" in message
    return (_FIRST if is_lobby else {}) | message | lobbies


_WITH_LOBBIES: Final = {"lobby", "lobbies", "state"}
