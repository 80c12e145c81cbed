"""Headers of every response: its content type is final, and no other site may use it."""

from typing import Final

from aiohttp import web

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def secure(response: web.StreamResponse) -> None:
    """Add what an answer does not say itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """A signal for `on_response_prepare`."""
    secure(response)
