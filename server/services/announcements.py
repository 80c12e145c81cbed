"""Announcements that stand: kept in the master of the restrictions until their end."""

import hashlib
from collections.abc import Mapping
from typing import Final

import orjson
import structlog

from protocol.to_client import Announcement
from server.store.restrictions import until_of

_ANNOUNCEMENT: Final = "announcement:"

log = structlog.get_logger(__name__)


def announcement_field(text: str) -> str:
    """The master's field of an announcement that stands: one for each text."""
    return _ANNOUNCEMENT + hashlib.sha256(text.encode()).hexdigest()[:16]


def standing_announcements(master: Mapping[str, str]) -> list[Announcement]:
    """The announcements in the master, the one that ends first first. One that is not understood
    is logged and left out."""
    found = []
    for field, written in master.items():
        if field.startswith(_ANNOUNCEMENT):
            try:
                found.append(Announcement.model_validate_json(written))
            except ValueError:
                log.warning("announcement_not_understood", field=field)
    return sorted(found, key=lambda announcement: announcement.until or 0)


def ended_announcements(master: Mapping[str, str], now_ms: float) -> list[str]:
    """The master's fields of announcements whose end is past."""
    ends = {
        field: _stands_until(written)
        for field, written in master.items()
        if field.startswith(_ANNOUNCEMENT)
    }
    return [field for field, end_ms in ends.items() if end_ms is not None and end_ms <= now_ms]


def _stands_until(written: str) -> int | None:
    try:
        return until_of(orjson.dumps(orjson.loads(written)["until"]).decode())
    except (ValueError, LookupError, TypeError):
        return None
