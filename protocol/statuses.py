"""The titles of HTTP's statuses, which are on the wire: the same under every Python."""

from http import HTTPStatus
from typing import Final

_RENAMED: Final = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}
"""Python 3.13 has other words for these."""


def title_of(status: int) -> str:
    """What a problem with this status is called."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase
