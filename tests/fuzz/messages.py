"""Commands of which something is wrong: a field, its type, one too many, one too few."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from protocol.from_client import FRONT_DESK_COMMANDS, LOBBY_COMMANDS
from tests.fuzz.documents import texts, values

Payload = dict[str, Any]

VALID: Final[Mapping[str, Payload]] = {
    "join": {"buy_in_amount": 3500, "client_seed": "luck"},
    "list": {"buy_in_amount": 3500},
    "select_numbers": {"numbers": [1, 2, 3, 4, 5, 6, 7, 8, 9]},
    "arrange_grid": {"grid": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]},
    "claim": {},
    "leave": {},
    "sync": {"last_seq": 0},
    "refresh_token": {"token": "a.b.c"},
}
"""A payload of each command; every field is in it but `alien_id`, which all of them have."""

RESERVED: Final = ("connect", "disconnect", "connect_error", "message", "error", "*", "__class__")


def commands(*names: str) -> st.SearchStrategy[tuple[str, Any]]:
    """Names with payloads of which at least one thing is wrong."""
    return st.one_of(
        *(st.tuples(st.just(name), spoilt(VALID[name])) for name in names),
        st.tuples(st.sampled_from(RESERVED) | texts, values),
    )


def spoilt(payload: Payload) -> st.SearchStrategy[Any]:
    """The payload after one or more changes."""
    fields = st.sampled_from([*payload, "alien_id"])
    return st.one_of(
        values,
        st.builds(lambda name, value: {**payload, name: value}, fields, wrong_values(payload)),
        st.builds(lambda name, value: {**payload, name: value}, texts.filter(bool), values),
        st.builds(lambda name: {k: v for k, v in payload.items() if k != name}, fields),
    )


def wrong_values(payload: Payload) -> st.SearchStrategy[Any]:
    """Anything, and lists that are nearly right."""
    grids = st.lists(st.lists(st.integers(0, 60) | values, max_size=5), max_size=5)
    return values | grids | st.lists(st.integers(-1, 51), max_size=20)


front_desk_commands = commands(*FRONT_DESK_COMMANDS)
lobby_commands = commands(*LOBBY_COMMANDS)
