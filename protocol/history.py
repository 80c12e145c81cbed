"""What players read of their past over HTTP. Coins are exact JSON numbers, times ISO-8601."""

from typing import Final, Literal

from pydantic import StrictBool

from protocol.coins import Coins
from protocol.http import IsoTime
from protocol.views import Message, Outcome, Request

GAMES_LIMIT: Final = 20
MAX_LIMIT: Final = 100
STATEMENT_LIMIT: Final = 100
CURSOR_PATTERN: Final = r"^[0-9]{1,17}~[A-Za-z0-9_:-]{1,64}$"
"""A place between two rows. Clients give back what they were given, and make up none."""


Period = Literal["day", "week", "month", "all"]
MovementKind = Literal["received", "payout_owed", "refund_owed", "settled"]


class GamePayout(Message):
    """How far the payment of what a game owes its player is."""

    amount: Coins
    status: str
    reference: str | None


class PastGame(Message):
    """A game that its player has behind them."""

    lobby_id: str
    buy_in_amount: int
    variant: str
    outcome: Outcome
    won: bool
    kicked: bool
    pattern: str | None
    pot: Coins
    paid_in: Coins
    paid_out: Coins
    player_count: int
    calls: int
    finished_at: IsoTime
    payout: GamePayout | None


class GamesPage(Message):
    """`GET /api/me/games`: the latest first; `next` is the cursor of the next page."""

    games: list[PastGame]
    next: str | None


class StatementEntry(Message):
    """One movement of a player's money."""

    entry_id: str
    at: IsoTime
    kind: MovementKind
    amount: Coins
    lobby_id: str | None
    invoice_id: str | None
    reference: str | None


class StatementSums(Message):
    """What the movements of the whole window add up to; `owed` is what of it is not settled."""

    paid_in: Coins
    paid_out: Coins
    owed: Coins


class Statement(Message):
    """`GET /api/me/statement`, in the order of time."""

    entries: list[StatementEntry]
    sums: StatementSums
    next: str | None


class Leader(Message):
    """One of the best."""

    rank: int
    alien_id: str
    games: int
    won: int
    coins_won: Coins


class Leaderboard(Message):
    """`GET /api/leaderboard`: who won most games of a period, of those who want to be shown.

    A day, a week and a month are today (UTC), the last 7 and the last 30 days with today: they
    begin at midnight, which is `since`; null if it is for ever."""

    period: Period
    since: IsoTime | None
    players: list[Leader]


class ProfileRequest(Request):
    """`PUT /api/me/profile`: whether the player is shown on the leaderboard."""

    listed: StrictBool


class Profile(Message):
    """The answer to it."""

    listed: bool
