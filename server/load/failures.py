"""What can go wrong for a player."""

from typing import Final

from protocol.errors import ERRORS, ErrorEntry

_ENTRIES: Final[dict[str, ErrorEntry]] = {code.value: entry for code, entry in ERRORS.items()}


class Refused(Exception):
    """The server, or something on the way to it, said no.

    `code` is of the protocol's closed table, or tells in its own words. `may_pass` says whether
    the same may succeed a little later; of the codes of the table the table knows.
    """

    def __init__(self, code: str, *, may_pass: bool = True) -> None:
        super().__init__(code)
        self.code = code
        entry = _ENTRIES.get(code)
        self.may_pass = may_pass if entry is None else entry.retry


class ConnectionLost(Exception):
    """There is no connection, or none any more."""
