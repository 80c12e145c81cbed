"""Where a client's tokens come from, and what a token says of itself."""

import base64
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

TokenSource = str | Callable[[], str | Awaitable[str]]
"""A token, or where to get one: a function is asked for a new one whenever one is needed."""


async def token_of(source: TokenSource) -> str:
    """A token that is valid now, as far as the source knows."""
    if isinstance(source, str):
        return source
    token = source()
    return await token if inspect.isawaitable(token) else token


def claims_of(token: str) -> dict[str, Any]:
    """What a token says of itself; the server is the one that checks it."""
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def expiry_of(token: str) -> float:
    """When it says that it expires, in Unix seconds; 0 if it does not say."""
    said = claims_of(token).get("exp")
    return float(said) if isinstance(said, int | float) else 0.0
