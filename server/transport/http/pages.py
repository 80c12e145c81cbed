"""`GET /` and `/client/`: the browser client, read once and served from memory."""

import gzip
import hashlib
import html
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson
from aiohttp import web

from server.rules.variants import Variant
from server.rules.views import rules_view
from server.transport.headers import knows, takes_gzip

ROOT: Final = Path(__file__).parent.parent / "web"
TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
}
_INDEX: Final = "index.html"
_VERIFY: Final = "verify/index.html"
_WORKER: Final = "service-worker.js"
_NOT_AT_FIRST: Final = ("ops/", "verify/", "account/", "offline/", _WORKER)
_PACKAGE: Final = "package/"
"""Where the page finds the npm package that it is built on."""
_BLS: Final = "package/bls12_381.min.js"
"""What checks a beacon's signature, which most visits to the game do without."""
_SOCKET_IO: Final = "vendor/socket.io.esm.min.js"


@dataclass(frozen=True)
class Page:
    """A file as it goes out: its media type, and its bytes; text is UTF-8."""

    content_type: str
    body: bytes

    @cached_property
    def zipped(self) -> bytes:
        """The body compressed, once somebody takes it so: not all at each start."""
        return gzip.compress(self.body, mtime=0)

    @cached_property
    def etag(self) -> str:
        """What browsers know the body by."""
        return hashlib.sha256(self.body).hexdigest()[:32]

    def answer(self, request: web.Request, headers: Mapping[str, str]) -> web.Response:
        """The response to `request`: the page, compressed for those who take it, or only that it
        did not change."""
        headers = {**headers, "ETag": f'W/"{self.etag}"'}  # weak: both encodings share it
        if knows(request, self.etag):
            return web.Response(status=304, headers=headers)
        charset = "" if self.content_type == "image/png" else "; charset=utf-8"
        headers["Content-Type"] = self.content_type + charset
        if takes_gzip(request):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=self.zipped, headers=headers)
        return web.Response(body=self.body, headers=headers)


class Pages:
    """The browser client's routes.

    `tiers` are offered to the player. `beacon_keys` are public keys of beacons by the hash of their
    chain, which the page checks proofs with beside the one that it knows. With `dev_login` the page
    takes its token and its payments from the routes of development, otherwise from the page or app
    that hosts it, which is one of `host_origins`. With `books` it asks for what is behind a player.
    """

    def __init__(
        self,
        tiers: Mapping[int, Variant],
        *,
        dev_login: bool,
        host_origins: Collection[str],
        books: bool = False,
        beacon_keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        config = {
            "dev_login": dev_login,
            "books": books,
            "tiers": [_tier(*tier) for tier in tiers.items()],
            "beacon_keys": dict(beacon_keys),
        }
        self._headers = _headers(host_origins)
        self._pages = _read(config)

    def add_to(self, app: web.Application) -> None:
        """Serve the routes on `app`."""
        app.router.add_get("/", self._index)
        app.router.add_get("/verify", self._verify)
        app.router.add_get("/client/{path:.+}", self._file)

    def answer(self, path: str, request: web.Request) -> web.Response:
        """The response with the file of that path. Raises HTTPNotFound."""
        page = self._pages.get(path)
        if page is None:
            raise web.HTTPNotFound
        # Without a word it would mind nothing but what is beside it.
        further = {"Service-Worker-Allowed": "/"} if path == _WORKER else {}
        return page.answer(request, {**self._headers, **further})

    async def _index(self, request: web.Request) -> web.Response:
        return self.answer(_INDEX, request)

    async def _verify(self, request: web.Request) -> web.Response:
        return self.answer(_VERIFY, request)

    async def _file(self, request: web.Request) -> web.Response:
        return self.answer(request.match_info["path"], request)


def _tier(buy_in_amount: int, variant: Variant) -> dict[str, Any]:
    return {"buy_in_amount": buy_in_amount, **rules_view(variant).model_dump()}


def _headers(host_origins: Collection[str]) -> Mapping[str, str]:
    """Nothing is loaded, run or asked that is not ours. `'self'` holds for the WebSocket too (CSP
    level 3)."""
    policy = {
        "default-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(["'self'", *host_origins]),
        "require-trusted-types-for": "'script'",
        "trusted-types": "service-worker",  # the one policy there is: see parts/offline.js
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }


def _read(config: Mapping[str, Any]) -> Mapping[str, Page]:
    """All files by their path below `ROOT`, and those of the npm package."""
    found = sorted(path for path in ROOT.rglob("*") if path.suffix in TYPES)
    bodies = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}
    package = sorted(files("protocol").joinpath("js").iterdir(), key=lambda file: file.name)
    bodies |= {
        _PACKAGE + file.name: file.read_bytes() for file in package if file.name.endswith(".js")
    }
    # The one module that imports by a package's name, which a browser cannot look up.
    bodies[f"{_PACKAGE}socket.js"] = bodies.pop(_SOCKET_IO)
    scripts = [name for name in bodies if name.endswith(".js")]
    game = [name for name in scripts if not name.startswith(_NOT_AT_FIRST) and name != _BLS]
    bodies[_INDEX] = _index(bodies[_INDEX], config, game)
    # It works without a connection once it is loaded: so it loads all that it may need.
    checking = [name for name in scripts if name.startswith("verify/") or name == _BLS]
    bodies[_VERIFY] = _index(bodies[_VERIFY], config, checking)
    bodies[_WORKER] = _worker(bodies)
    return {name: Page(TYPES[Path(name).suffix], body) for name, body in bodies.items()}


def _worker(bodies: Mapping[str, bytes]) -> bytes:
    """The service worker. It is another one as soon as anything is that it keeps: browsers compare
    it byte by byte."""
    kept = ("offline/", "css/", "words/")
    texts = (body for name, body in sorted(bodies.items()) if name.startswith(kept))
    version = hashlib.sha256(b"".join(texts)).hexdigest()[:16]
    words = " ".join(f"/client/{name}" for name in sorted(bodies) if name.startswith("words/"))
    template = bodies[_WORKER].replace(b"{{version}}", version.encode())
    return template.replace(b"{{words}}", words.encode())


def _index(template: bytes, config: Mapping[str, Any], scripts: list[str]) -> bytes:
    """The page with its configuration, and with all modules asked for at once: found one import
    after another, they would take a round trip for each step."""
    preloads = "\n".join(f'<link rel="modulepreload" href="/client/{name}">' for name in scripts)
    page = template.replace(b"{{config}}", html.escape(orjson.dumps(config).decode()).encode())
    return page.replace(b"{{preloads}}", preloads.encode())
