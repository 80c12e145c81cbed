"""The load tool's HTTP requests."""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import orjson

from server.load.failures import RequestRefused

_MAX_CONNECTIONS: Final = 100
_TIMEOUT_SECONDS: Final = 30


def http_session() -> aiohttp.ClientSession:
    """An HTTP client with a limited number of connections, which all participants share."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
    )


async def post_json(
    http: aiohttp.ClientSession, url: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """POST a JSON object, and return the one that is answered. Raises as `post` does."""
    return await post(http, url, orjson.dumps(body), {})


async def post(
    http: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> dict[str, Any]:
    """POST `body`, which is JSON, and return the object that is answered. Raises RequestRefused
    for any other status than 200, and for no answer in time."""
    headers = {"Content-Type": "application/json", **headers}
    try:
        async with http.post(url, data=body, headers=headers) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise RequestRefused(f"http_{type(error).__name__}") from error
    if answer.status != 200:
        raise RequestRefused(code_of(content) or f"http_{answer.status}")
    document: dict[str, Any] = orjson.loads(content)
    return document


def code_of(body: bytes) -> str | None:
    """The code in the problem document of a refusal, if the body is one."""
    try:
        return str(orjson.loads(body)["code"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
