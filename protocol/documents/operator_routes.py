"""The HTTP routes of operators, in one table."""

from typing import Any, Final

from pydantic import BaseModel

from protocol import operator_views, operators
from protocol.documents.route import ANY, BODY, Route
from protocol.errors import ErrorCode as Code

_AT_LOBBY: Final = (Code.UNKNOWN_LOBBY, Code.WRONG_STATUS)


def _payouts(
    command: str,
    summary: str,
    body: type[BaseModel],
    answer: type[BaseModel] = operator_views.ActionDone,
) -> Route:
    """A route of those who pay out."""
    refusals = (Code.NOT_OFFERED, Code.WRONG_STATUS)
    return _operators(f"payouts/{command}", summary, answer, body=body, refusals=refusals)


def _operators(path: str, summary: str, answer: type[BaseModel], **facts: Any) -> Route:
    """A route of the operators."""
    body = facts.get("body")
    refusals: tuple[Code, ...] = (
        Code.UNAUTHORIZED,
        Code.RATE_LIMITED,
        Code.FORBIDDEN,
        *ANY,
    )
    if body is not None:
        refusals += (*(code for code in BODY if code is not Code.IDENTITY_MISMATCH),)
    return Route(
        "get" if body is None else "post",
        f"/ops/api/{path}",
        summary,
        {200: answer},
        (*refusals, *facts.pop("refusals", ())),
        for_operators=True,
        **facts,
    )


OPERATOR_ROUTES: Final = (
    _operators("me", "Who the token is, and what the role may do.", operator_views.Operator),
    _operators("log", "What operators did, and whether it holds.", operator_views.OperatorLogView),
    _operators("orders", "What is closed, banned and announced now.", operator_views.OrdersLook),
    _operators(
        "lobbies/{lobby_id}",
        "A lobby: its state, its seats, what is owed of it, and what happened in it.",
        operator_views.LobbyLook,
        refusals=(Code.UNKNOWN_LOBBY,),
    ),
    _operators(
        "players/{alien_id}",
        "A player: their seats, what is owed to them, and whether they are banned.",
        operator_views.PlayerLook,
        refusals=(Code.INVALID_MESSAGE,),
    ),
    _payouts("list", "How far payouts are.", operators.ListPayouts, operator_views.PayoutList),
    _payouts("retry", "Try a payout now, one that was refused too.", operators.OnePayout),
    _payouts("approve", "Approve of a payout that is held.", operators.OnePayout),
    _payouts("refuse", "Do not pay a payout.", operators.RefusePayout),
    _payouts("pause", "Send no payouts.", operators.AllPayouts),
    _payouts("resume", "Send payouts again; the hour counts anew.", operators.AllPayouts),
    _operators(
        "void",
        "End a lobby in whatever phase it is; everything that was paid in is owed back.",
        operator_views.ActionDone,
        body=operators.VoidLobby,
        refusals=_AT_LOBBY,
    ),
    _operators(
        "kick",
        "Take a player's seat in a lobby that forms; a payment is owed back.",
        operator_views.ActionDone,
        body=operators.KickPlayer,
        refusals=(*_AT_LOBBY, Code.NOT_SEATED),
    ),
    _operators(
        "ban",
        "Let a player take no seat and have no invoice; a paid seat plays on.",
        operator_views.ActionDone,
        body=operators.BanPlayer,
    ),
    _operators(
        "unban",
        "Let a player take seats again.",
        operator_views.ActionDone,
        body=operators.UnbanPlayer,
    ),
    _operators(
        "close",
        "Sell no new seats in a tier.",
        operator_views.ActionDone,
        body=operators.CloseTier,
        refusals=(Code.UNKNOWN_TIER,),
    ),
    _operators(
        "open",
        "Sell seats in a tier again.",
        operator_views.ActionDone,
        body=operators.OpenTier,
        refusals=(Code.UNKNOWN_TIER,),
    ),
    _operators(
        "announce",
        "Say something to everybody; with `until` it stands until then.",
        operator_views.ActionDone,
        body=operators.Announce,
    ),
)
