"""What a client receives in a room: the events with their names, numbers and times."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, cast

from pydantic import ConfigDict

from protocol import to_client
from protocol.reading import read
from protocol.views import Message, UnixMs


class NumberedEvent(Message):
    """The `seq`-th event of its lobby, stored at `at` (Unix ms)."""

    seq: int
    at: UnixMs


class PlayerJoined(NumberedEvent, to_client.PlayerJoined):
    """As in `to_client`, with its name."""

    event: Literal["player_joined"] = "player_joined"


class PlayerPaid(NumberedEvent, to_client.PlayerPaid):
    """As in `to_client`, with its name."""

    event: Literal["player_paid"] = "player_paid"


class PlayerReady(NumberedEvent, to_client.PlayerReady):
    """As in `to_client`, with its name."""

    event: Literal["player_ready"] = "player_ready"


class PlayerLeft(NumberedEvent, to_client.PlayerLeft):
    """As in `to_client`, with its name."""

    event: Literal["player_left"] = "player_left"


class StatusChanged(NumberedEvent, to_client.StatusChanged):
    """As in `to_client`, with its name."""

    event: Literal["status_changed"] = "status_changed"


class BeaconMixed(NumberedEvent, to_client.BeaconMixed):
    """As in `to_client`, with its name."""

    event: Literal["beacon_mixed"] = "beacon_mixed"


class NumberCalled(NumberedEvent, to_client.NumberCalled):
    """As in `to_client`, with its name."""

    event: Literal["number_called"] = "number_called"


class PlayerKicked(NumberedEvent, to_client.PlayerKicked):
    """As in `to_client`, with its name."""

    event: Literal["player_kicked"] = "player_kicked"


class GameFinished(NumberedEvent, to_client.GameFinished):
    """As in `to_client`, with its name."""

    event: Literal["game_finished"] = "game_finished"


class OtherEvent(NumberedEvent):
    """An event that only a newer server knows. Its fields are attributes."""

    model_config = ConfigDict(extra="allow")

    event: str


class LobbyState(to_client.LobbyState):
    """As in `to_client`, with its name: it stands for everything up to its `seq`."""

    event: Literal["lobby_state"] = "lobby_state"


RoomMessage = (
    PlayerJoined
    | PlayerPaid
    | PlayerReady
    | PlayerLeft
    | StatusChanged
    | BeaconMixed
    | NumberCalled
    | PlayerKicked
    | GameFinished
)
"""What this version knows; so `event` tells a type checker which it is. A newer server may send
an OtherEvent too."""

_MODELS: Mapping[str, type[RoomMessage]] = MappingProxyType(
    {model.model_fields["event"].default: model for model in RoomMessage.__args__}
)


def read_room_message(name: str, message: Mapping[str, Any]) -> RoomMessage:
    """The event that came under this name. Raises pydantic.ValidationError if the fields are not
    that event's."""
    model = _MODELS.get(name)
    if model is None:
        return cast("RoomMessage", OtherEvent.model_validate({**message, "event": name}))
    return read(model, message)
