"""Documents that a command is given: a file, or a URL."""

from pathlib import Path
from typing import Final

from protocol import strict_json
from server.cli.console import fail

_READ_SECONDS: Final = 10


def read_document(place: str) -> object:
    """The JSON of that file or URL; ends the command if it cannot be read."""
    try:
        text = _downloaded(place) if _is_url(place) else Path(place).read_bytes()
    except (OSError, ValueError) as error:
        fail(f"cannot read {place}: {getattr(error, 'strerror', None) or error}")
    try:
        return strict_json.loads(text)
    except ValueError as error:
        fail(f"cannot read {place}: it is no JSON: {error}")


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _downloaded(url: str) -> bytes:
    import httpx  # it takes as long as all other imports of a command, and files do not need it

    try:
        return httpx.get(url, timeout=_READ_SECONDS).raise_for_status().content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"cannot read {url}: {error}")
