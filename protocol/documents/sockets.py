"""Both namespaces in one table: what may be said there, and what is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel

from protocol import from_client, to_client
from protocol.documents.published import SyncEvents
from protocol.from_client import FRONT_DESK_COMMANDS, LOBBY_COMMANDS
from protocol.ids import FRONT_DESK
from protocol.to_client import ROOM_EVENTS
from protocol.views import Request


@dataclass(frozen=True, slots=True)
class Namespace:
    """A Socket.IO namespace. `welcome` names what may be sent on connecting."""

    title: str
    address: str
    description: str
    commands: Mapping[str, type[Request]]
    events: Mapping[str, type[BaseModel]]
    welcome: tuple[str, ...]


NAMESPACES: Final[Mapping[str, Namespace]] = MappingProxyType(
    {
        "frontDesk": Namespace(
            title="The front desk",
            address=FRONT_DESK,
            description="What forms, and a seat in it. `lobbies` comes on connecting.",
            commands=FRONT_DESK_COMMANDS,
            events={
                "lobbies": to_client.Lobbies,
                "lobby_listed": to_client.LobbyListed,
                "payout": to_client.Payout,
                "announcement": to_client.Announcement,
                "draining": to_client.Draining,
            },
            welcome=("lobbies", "announcement"),
        ),
        "lobby": Namespace(
            title="A lobby",
            address="/{lobby_id}",
            description="One lobby. Who holds a seat plays, everyone else watches. On connecting "
            "comes a `lobby_state` or, to those who sent a recent `last_seq`, what they missed.",
            commands=LOBBY_COMMANDS,
            events={
                "lobby_state": to_client.LobbyState,
                **ROOM_EVENTS,
                "announcement": to_client.Announcement,
                "draining": to_client.Draining,
            },
            welcome=("lobby_state", *ROOM_EVENTS, "announcement"),
        ),
    }
)

ANSWERS: Final[Mapping[type[Request], tuple[type[BaseModel], ...]]] = MappingProxyType(
    {
        from_client.Join: (to_client.JoinAnswer,),
        from_client.ListLobbies: (to_client.ListAnswer,),
        from_client.SelectNumbers: (to_client.SelectNumbersAnswer,),
        from_client.ArrangeGrid: (to_client.ArrangeGridAnswer,),
        from_client.Claim: (to_client.ClaimWon, to_client.ClaimFalse),
        from_client.Leave: (to_client.LeaveAnswer,),
        from_client.Sync: (to_client.SyncState, SyncEvents),
        from_client.RefreshToken: (to_client.RefreshTokenAnswer,),
    }
)
"""What a command is acknowledged with when it is carried out; otherwise it is an ErrorAnswer."""
