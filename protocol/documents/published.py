"""What the models leave to code, said so that a schema can say it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Union

from pydantic import BaseModel, create_model

from protocol import to_client
from protocol.http import HttpInvoice, IsoTime
from protocol.to_client import ROOM_EVENTS, Answer, ClaimFalse, ClaimWon, RoomEvent
from protocol.views import Grid, Invoice, LobbyView, Message, Numbers, Patterns, You

Model = type[BaseModel]


class YouPlaying(Message):
    """Your seat, as only you see it."""

    role: Literal["player"]
    paid: bool
    active: bool
    numbers: Numbers | None
    grid: Grid | None
    invoice: Invoice | None


class YouWatching(Message):
    """You hold no seat. There is an invoice if one was ever issued to you in this lobby."""

    role: Literal["spectator"]
    invoice: Invoice | None = None


PUBLISHED_AS: Final[Mapping[Model, Any]] = MappingProxyType({You: YouPlaying | YouWatching})
"""Models that stand in the documents as something more exact."""


def _model(name: str, base: Model, description: str | None, fields: Mapping[str, Any]) -> Model:
    definitions: dict[str, Any] = dict(fields)
    return create_model(name, __base__=base, __doc__=description, **definitions)


def _either(models: Iterable[Model]) -> Any:
    return Union[tuple(models)]  # noqa: UP007 - the models are known only here


def _recorded(name: str, event: type[RoomEvent]) -> Model:
    """A room event with its name."""
    description = f"`{name}`, as `sync` answers it."
    fields = {"event": (Literal[name], ...)}
    return _model(f"Recorded{event.__name__}", event, description, fields)


_Recorded: Any = _either(_recorded(*item) for item in ROOM_EVENTS.items())

SyncEvents: Final = _model(
    "SyncEvents",
    Answer,
    to_client.SyncEvents.__doc__,
    {"events": (list[_Recorded], ...), "you": (You, ...)},
)


def _without_ok(answer: type[Answer]) -> Model:
    """An acknowledgement over HTTP, where the status says whether it is `ok`."""
    fields = {name: (f.annotation, f) for name, f in answer.model_fields.items() if name != "ok"}
    return _model(f"Http{answer.__name__}", Message, answer.__doc__, fields)


HttpClaimWon: Final = _without_ok(ClaimWon)
HttpClaimFalse: Final = _without_ok(ClaimFalse)


def _with_invoice(you: Model, **invoice: Any) -> Model:
    """One's own part over HTTP."""
    return _model(f"Http{you.__name__}", you, you.__doc__, invoice)


_HttpYou: Any = _either(
    [
        _with_invoice(YouPlaying, invoice=(HttpInvoice | None, ...)),
        _with_invoice(YouWatching, invoice=(HttpInvoice | None, None)),
    ]
)

StatusAnswer: Final = _model(
    "StatusAnswer",
    LobbyView,
    "The lobby as everyone sees it, the lines that win, your own part of it, and the seconds\n"
    "since it became active (0 before). Times are ISO-8601, null while they have not come.",
    {
        "created_at": (IsoTime, ...),
        "started_at": (IsoTime | None, ...),
        "finished_at": (IsoTime | None, ...),
        "deadline": (IsoTime | None, ...),
        "patterns": (Patterns, ...),
        "you": (_HttpYou, ...),
        "time_elapsed": (float, ...),
    },
)
