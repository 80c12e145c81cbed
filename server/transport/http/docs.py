"""`GET /docs`: the documents of the protocol, to read and to fetch."""

from importlib.resources import files
from typing import Final

from aiohttp import web

from server.transport.http.pages import Page

_TYPES: Final = {
    "asyncapi.json": "application/json",
    "openapi.json": "application/json",
    "schema.json": "application/json",
    "types.ts": "text/plain",
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}


class DocsRoutes:
    """The documents, read once from the package and served from memory."""

    def __init__(self) -> None:
        folder = files("protocol")
        types = {"/docs": ("docs.html", "text/html")}
        types |= {f"/docs/{name}": (name, content_type) for name, content_type in _TYPES.items()}
        self._pages = {
            path: Page(content_type, (folder / name).read_bytes())
            for path, (name, content_type) in types.items()
        }

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        for path in self._pages:
            app.router.add_get(path, self._show)

    async def _show(self, request: web.Request) -> web.Response:
        return self._pages[request.path].answer(request, _HEADERS)
