"""The ids that each line carries which is logged for a request or a packet.

They are one mapping in one variable, which is set and given back for every command of a socket.
structlog's own context has a variable for each id, to be set, found and given back by itself.
"""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Any, Final

from structlog.typing import EventDict

Ids = Mapping[str, str]
_NONE: Final[Ids] = {}
_ids: Final = ContextVar("log_ids", default=_NONE)


def bind_ids(**ids: str) -> Token[Ids]:
    """From now on every line of this context carries these too. Returns what undoes that."""
    return _ids.set({**_ids.get(), **ids})


def unbind_ids(token: Token[Ids]) -> None:
    """Undo that."""
    _ids.reset(token)


def add_ids(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A processor of structlog: what a line says itself counts."""
    return {**_ids.get(), **event}
