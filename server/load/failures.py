"""What can go wrong for a participant."""

from typing import Final

from protocol.errors import ERRORS, ErrorEntry

_ENTRIES: Final[dict[str, ErrorEntry]] = {code.value: entry for code, entry in ERRORS.items()}


class RequestRefused(Exception):
    """The server, or something on the way to it, refused a command, a connection or a request.

    `code` is one of the protocol's closed table, or names what failed on the way. `may_pass`:
    whether the same may succeed a little later; for codes of the table, its `retry`.
    """

    def __init__(self, code: str, *, may_pass: bool = True) -> None:
        super().__init__(code)
        self.code = code
        entry = _ENTRIES.get(code)
        self.may_pass = may_pass if entry is None else entry.retry


class Disconnected(Exception):
    """There is no connection, or none any more."""
