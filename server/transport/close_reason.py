"""Why a connection ended."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from aiohttp import WSCloseCode


class CloseReason(StrEnum):
    """Every way in which a connection can end."""

    LEFT = "left"  # the client closed it
    LOST = "lost"  # TCP ended without one
    SILENT = "silent"  # no pong
    TOO_SLOW = "too_slow"  # what was sent to it piled up
    MALFORMED = "malformed"
    FLOODED = "flooded"  # too many messages over the limit
    NEVER_JOINED = "never_joined"
    REFUSED = "refused"  # too many refused connects
    EXPIRED = "expired"  # its token
    DRAINING = "draining"
    FAILED = "failed"  # our own error


_CLOSE_CODES: Final[Mapping[CloseReason, int]] = MappingProxyType(
    {
        CloseReason.LEFT: WSCloseCode.OK,
        CloseReason.MALFORMED: WSCloseCode.PROTOCOL_ERROR,
        CloseReason.DRAINING: WSCloseCode.SERVICE_RESTART,
        CloseReason.FAILED: WSCloseCode.INTERNAL_ERROR,
    }
)


def close_code(reason: CloseReason) -> int:
    """The close code of RFC 6455, 7.4 that the client receives."""
    return _CLOSE_CODES.get(reason, WSCloseCode.POLICY_VIOLATION)
