"""What operators are answered: `/ops/api`, and the command line alike."""

from typing import Any

from pydantic import StrictBool

from protocol.coins import Coins
from protocol.http import IsoTime
from protocol.operators import PayoutStatus, Role
from protocol.to_client import Announcement
from protocol.views import Message


class Operator(Message):
    """`GET /ops/api/me`: who the token is, and which actions the role may do."""

    name: str
    role: Role
    actions: list[str]


class LogEntryView(Message):
    """An entry of the operators' log: who did what to what, when and why. `previous_hash` is the
    `hash` of the entry before, 64 zeros for the first."""

    id: int
    at: IsoTime
    operator: str
    action: str
    target: str
    reason: str
    details: dict[str, Any] | None
    previous_hash: str
    hash: str


class OperatorLogView(Message):
    """`GET /ops/api/log`: all entries, the oldest first; `intact` is whether nobody altered,
    dropped or added one, and `problems` says where, a sentence each."""

    entries: list[LogEntryView]
    intact: StrictBool
    problems: list[str]


class ActionDone(Message):
    """An action was carried out, or there was nothing to do: whether it `changed` anything, and so
    is in the log."""

    action: str
    changed: StrictBool


class StepLook(Message):
    """One record of a lobby's log, in words."""

    id: str
    at: IsoTime
    text: str


class DebtLook(Message):
    """What is owed to a player and not settled: an entry of the ledger."""

    entry: str
    kind: str
    alien_id: str | None
    lobby_id: str | None
    amount: float
    at: IsoTime


class PayoutView(Message):
    """How far a payout is; `amount` in coins."""

    payout_id: str
    entry_id: str
    alien_id: str
    amount: Coins
    status: PayoutStatus
    reference: str | None
    attempts: int
    updated_at: IsoTime | None
    reason: str | None
    approved_by: list[str]


class LobbyLook(Message):
    """`GET /ops/api/lobbies/{lobby_id}`: the public `view` after all `steps`, whether it is
    `in_books` only, what is still `owed` of it, how far its `payouts` are (with the books), and the
    `problem` of its log, if it does not hold."""

    lobby_id: str
    view: dict[str, Any] | None
    paid_players: int
    in_books: StrictBool
    problem: str | None
    owed: list[DebtLook]
    payouts: list[PayoutView]
    steps: list[StepLook]


class SeatLook(Message):
    """A player's seat in a lobby that is not over."""

    lobby_id: str
    status: str
    paid: StrictBool
    active: StrictBool


class PlayerLook(Message):
    """`GET /ops/api/players/{alien_id}`: where a player sits, what is `owed` to them, and until
    when (Unix ms) they are `banned`."""

    alien_id: str
    banned: StrictBool
    until: int | None
    seats: list[SeatLook]
    owed: list[DebtLook]


class OrdersLook(Message):
    """`GET /ops/api/orders`: the tiers that are closed, the players who are banned and until when
    (Unix ms; null: for good), and the announcements that stand."""

    closed: list[int]
    banned: dict[str, int | None]
    announcements: list[Announcement]


class PayoutList(Message):
    """Payouts, some at a time: what follows comes `after` the last id."""

    payouts: list[PayoutView]
