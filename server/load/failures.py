"""What participants are refused, and how they lose their connection."""

from typing import Final

from protocol.errors import ERRORS, ErrorEntry

_ENTRIES: Final[dict[str, ErrorEntry]] = {code.value: entry for code, entry in ERRORS.items()}


class RequestRefused(Exception):
    """The server, or something on the way to it, refused a command, a connection or a request.

    `code` is one of the protocol's closed table, or names what failed on the way. `retry` is
    whether the same may succeed a little later: the table's, or as given for any other code.
    """

    def __init__(self, code: str, *, retry: bool = True) -> None:
        super().__init__(code)
        self.code = code
        entry = _ENTRIES.get(code)
        self.retry = retry if entry is None else entry.retry


class Disconnected(Exception):
    """There is no connection, or it has ended."""
