"""Which handshakes are let in, judged by the request alone."""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

from server.transport.limits import Network


def is_websocket_handshake(request: web.Request, ws: web.WebSocketResponse) -> bool:
    """Whether `ws` may answer the request, and a new Engine.IO session begins with it."""
    return (
        request.method == "GET"
        and request.query.get("transport") == "websocket"
        and "sid" not in request.query
        and ws.can_prepare(request).ok
    )


def is_origin_allowed(request: web.Request, allowed: frozenset[str] | None) -> bool:
    """Whether a page of that origin may connect. None allows the server's own origin, by the
    Host header and the connection itself: a client's X-Forwarded-Host proves nothing. Other
    programs than browsers send no Origin and are let in."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if allowed is None:
        return origin.lower() == f"{request.scheme}://{request.host}".lower()
    return origin in allowed


def client_address(request: web.Request, trusted_proxies: Sequence[Network]) -> str:
    """The address that limits are counted for: the peer's, or behind trusted proxies the
    right-most address of X-Forwarded-For that is not one of them."""
    address = request.remote or ""
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while forwarded and _is_trusted(address, trusted_proxies):
        address = forwarded.pop().strip() or address
    return address


def _is_trusted(address: str, trusted_proxies: Sequence[Network]) -> bool:
    if not trusted_proxies:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted_proxies)
