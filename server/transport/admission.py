"""Which handshakes are let in, judged by the request alone."""

from typing import Final

from aiohttp import web

from server.transport.headers import elements

WEBSOCKET_VERSION: Final = "13"


def is_websocket_handshake(request: web.Request, ws: web.WebSocketResponse) -> bool:
    """Whether `ws` may answer the request, and a new Engine.IO session begins with it."""
    return (
        request.method == "GET"
        and request.query.get("transport") == "websocket"
        and "sid" not in request.query
        and ws.can_prepare(request).ok
    )


def is_other_websocket_version(request: web.Request) -> bool:
    """Whether the request wants a WebSocket that is not the one of RFC 6455; aiohttp would serve
    the drafts before it too."""
    return (
        request.method == "GET"
        and "websocket" in elements(request, "Upgrade")
        and request.headers.getall("Sec-WebSocket-Version", []) != [WEBSOCKET_VERSION]
    )


def is_origin_allowed(request: web.Request, allowed: frozenset[str] | None) -> bool:
    """Whether a page of that origin may connect. None allows the server's own origin, by the
    Host header and the connection itself: a client's X-Forwarded-Host proves nothing. Other
    programs than browsers send no Origin and are let in."""
    origins = request.headers.getall("Origin", ())
    if not origins:
        return True
    origin = ",".join(origins).lower()  # of which several are none
    if allowed is None:
        return origin == f"{request.scheme}://{_without_default_port(request)}".lower()
    return origin in allowed


def _without_default_port(request: web.Request) -> str:
    """As browsers write an origin (RFC 6454, 6.2), whatever the Host header has."""
    return request.host.removesuffix(":443" if request.scheme == "https" else ":80")
