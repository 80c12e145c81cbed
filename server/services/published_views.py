"""Public views of lobbies as servers publish them, read by a server of another version too."""

from collections.abc import Mapping
from typing import Any, Final, get_args

import structlog
from pydantic import ValidationError

from protocol.views import BeaconView, LobbyView, Outcome, PlayerView, Status
from server.rules.views import Fields

_NAMES: Final = frozenset(LobbyView.model_fields) - {"rules", "beacon"}
_PLAYER_NAMES: Final = frozenset(PlayerView.model_fields)
_BEACON_NAMES: Final = frozenset(BeaconView.model_fields)
_STATUSES: Final = frozenset(get_args(get_args(Status)[0]))
_OUTCOMES: Final = frozenset((None, *get_args(get_args(Outcome)[0])))

log = structlog.get_logger(__name__)


def read_view(fields: Mapping[str, Any], rules: Mapping[str, Any]) -> Fields | None:
    """A view as it was published, by a version that may publish more or fewer fields than this one
    knows; None if it is not understood."""
    if not _is_of_this_version(fields):
        try:
            known = LobbyView.model_validate({**fields, "rules": rules}, extra="ignore")
        except ValidationError as error:
            log.warning("lobby_view_not_understood", problems=error.error_count())
            return None
        fields = known.model_dump()
    return {"lobby_id": fields["lobby_id"], "rules": rules, **fields}


def _is_of_this_version(fields: Mapping[str, Any]) -> bool:
    """Whether what was published has the fields that this version publishes, and no word in it is a
    later version's: then there is nothing to be checked or left out."""
    return (
        fields.keys() - {"beacon"} == _NAMES
        and type(fields["seq"]) is int
        and type(fields["buy_in_amount"]) is int
        and type(fields["created_at"]) in (int, float)
        and fields["status"] in _STATUSES
        and fields["outcome"] in _OUTCOMES
        and type(players := fields["players"]) is list
        and all(type(each) is dict and each.keys() == _PLAYER_NAMES for each in players)
        and ("beacon" not in fields or _is_beacon(fields["beacon"]))
    )


def _is_beacon(value: Any) -> bool:
    return type(value) is dict and value.keys() == _BEACON_NAMES
