"""Which handshakes are let in, judged by the request alone."""

from aiohttp import web


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
