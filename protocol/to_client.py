"""Everything the server says on a socket: events to a room, messages to one, acknowledgements."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from protocol.coins import Coins
from protocol.reading import NEWER_WORDS
from protocol.views import (
    BeaconView,
    Invoice,
    LeaveReason,
    LobbyView,
    Message,
    Outcome,
    Patterns,
    Proof,
    Sha256,
    UnixMs,
    You,
    is_none,
)

# --- events to a lobby's room; on the wire each also carries `seq` and `at` ----------------------


class RoomEvent(Message):
    """Base of what is sent to a whole room."""


class PlayerEvent(RoomEvent):
    """Something about one player's seat: the seats taken and the pot after it."""

    alien_id: str
    player_count: int
    pot: int


class PlayerJoined(PlayerEvent):
    """A seat was taken; it is not paid yet."""


class PlayerPaid(PlayerEvent):
    """A seat was paid; the pot has grown by the buy-in."""


class PlayerReady(PlayerEvent):
    """A player's grid is arranged."""


class PlayerLeft(PlayerEvent):
    """A player gave up the seat, or it was taken from them."""

    reason: LeaveReason


class StatusChanged(RoomEvent):
    """The lobby's phase, and when it ends (Unix ms; null while active). The start of a game with a
    beacon names the round that its order waits for."""

    status: Annotated[Literal["forming", "arranging", "active"], NEWER_WORDS]
    deadline: UnixMs | None
    beacon: BeaconView | None = Field(default=None, exclude_if=is_none)


class BeaconMixed(RoomEvent):
    """The beacon's round is there, so the order of the numbers is fixed. `randomness` is the
    SHA-256 of the signature; both are hex."""

    round: int
    signature: str
    randomness: Sha256


class NumberCalled(RoomEvent):
    """A number was called: the `index`-th, from 1."""

    number: int
    previous: int | None
    index: int


class PlayerKicked(RoomEvent):
    """A player claimed falsely and is out."""

    alien_id: str
    active_players: int


class GameFinished(RoomEvent):
    """The end, with everything that may be known now. Cancelled or voided: 0, [], {},
    null. `log_hash` vouches for the lobby's log up to here, also when there is no proof."""

    outcome: Outcome
    winner: str | None
    pattern: str | None
    pot: int
    numbers_called: list[int]
    grids: dict[str, list[list[int]]]
    proof: Proof | None
    log_hash: Sha256


ROOM_EVENTS: Mapping[str, type[RoomEvent]] = MappingProxyType(
    {
        "player_joined": PlayerJoined,
        "player_paid": PlayerPaid,
        "player_ready": PlayerReady,
        "player_left": PlayerLeft,
        "status_changed": StatusChanged,
        "beacon_mixed": BeaconMixed,
        "number_called": NumberCalled,
        "player_kicked": PlayerKicked,
        "game_finished": GameFinished,
    }
)
ROOM_EVENT_NAMES: Mapping[type[RoomEvent], str] = MappingProxyType(
    {model: name for name, model in ROOM_EVENTS.items()}
)

# --- to one socket ---------------------------------------------------------------------------


class LobbyState(LobbyView):
    """`lobby_state`: the whole view, with the lines that win, and your own part of it. `seq` and
    `at` are those of the last event that it includes."""

    patterns: Patterns
    you: You
    at: UnixMs


class Lobbies(Message):
    """`lobbies`: the forming lobbies, oldest first, on connecting to the front desk."""

    lobbies: list[LobbyView]


class LobbyListed(Message):
    """`lobby_listed`: a forming lobby changed, or stopped forming."""

    lobby: LobbyView


class Payout(Message):
    """`payout`: what a game owed you was paid, in coins, by the transaction `reference`; on every
    connection of yours to the front desk."""

    lobby_id: str
    amount: Coins
    status: Annotated[Literal["settled"], NEWER_WORDS]
    reference: str


AnnouncementLevel = Literal["info", "warning"]


class Announcement(Message):
    """`announcement`: the operator's word to everybody, in every namespace; on connect too, while
    it stands (`until`, Unix ms; null: it is said once)."""

    text: str
    level: Annotated[AnnouncementLevel, NEWER_WORDS]
    until: UnixMs | None


class Draining(Message):
    """`draining`: this server shuts down; connect again after so many ms."""

    retry_after_ms: int


# --- acknowledgements ------------------------------------------------------------------------


class Answer(Message):
    """A command was carried out."""

    ok: Literal[True] = True


class JoinAnswer(Answer):
    """Your seat's lobby and what to pay for it."""

    lobby: LobbyView
    invoice: Invoice


class ListAnswer(Answer):
    """The forming lobbies, oldest first."""

    lobbies: list[LobbyView]


class SelectNumbersAnswer(Answer):
    """The numbers that you hold now."""

    numbers: list[int]


class ArrangeGridAnswer(Answer):
    """The grid that you hold now."""

    grid: list[list[int]]


class ClaimWon(Answer):
    """The claim was valid and the first: the pot is yours."""

    valid: Literal[True] = True
    winner: Literal[True] = True
    pattern: str
    pot: int
    message: str


class ClaimFalse(Answer):
    """The claim was false: you are out. `missing_numbers` are of the pattern nearest to complete,
    the first such."""

    valid: Literal[False] = False
    kicked: Literal[True] = True
    missing_numbers: list[int]
    message: str


class LeaveAnswer(Answer):
    """Your seat is given up."""


class SyncState(Answer):
    """The whole state, when `last_seq` leads nowhere."""

    state: LobbyState


class SyncEvents(Answer):
    """The room events after `last_seq`, each with its name as `event`, and your own part of the
    state after them, which is in no event."""

    events: list[dict[str, Any]]
    you: You


class RefreshTokenAnswer(Answer):
    """When the connection ends now, unless it is refreshed again (Unix ms)."""

    expires_at: UnixMs
