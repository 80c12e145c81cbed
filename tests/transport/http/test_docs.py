"""`GET /docs`: what is served, and that it leads somewhere."""

import json
import re

from protocol.documents.files import documents
from protocol.documents.routes import ROUTES
from protocol.errors import ErrorCode
from protocol.examples import EXAMPLES
from protocol.from_client import FRONT_DESK_COMMANDS, LOBBY_COMMANDS
from protocol.to_client import ROOM_EVENTS
from server.assembly.app import App
from server.dev.issuer import DevIssuer
from server.dev.provider import DevProvider
from server.runtime.settings import load_settings
from tests.system.game_server import GameServer, environment
from tests.transport.http.documented import DOCUMENT, assert_documented


async def test_the_documents_are_served_as_they_are_kept(game: GameServer) -> None:
    kept = documents()
    for name in ("asyncapi.json", "openapi.json", "schema.json"):
        answer = await game.get(f"/docs/{name}")
        assert_documented("get", f"/docs/{name}", answer)
        assert answer.body == json.loads(kept[name])
    types = await game.get("/docs/types.ts")
    assert (types.status, types.content_type) == (200, "text/plain")
    assert types.body.decode() == kept["types.ts"]


async def test_the_page_shows_everything_and_runs_nothing(game: GameServer) -> None:
    page = await game.get("/docs")
    assert_documented("get", "/docs", page._replace(body=page.body.decode()))
    text = page.body.decode()
    assert "<script" not in text
    assert "style=" not in text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    for name in (*FRONT_DESK_COMMANDS, *LOBBY_COMMANDS, *ROOM_EVENTS, *ErrorCode):
        assert name in text
    for route in ROUTES:
        assert f"{route.method.upper()} {route.path}<" in text
    for model in EXAMPLES:
        assert f'id="type-{model.__name__}"' in text


async def test_every_link_of_the_page_leads_somewhere(game: GameServer) -> None:
    text = (await game.get("/docs")).body.decode()
    places = re.findall(r' id="([^"]+)"', text)
    assert len(places) == len(set(places))
    for link in set(re.findall(r' href="([^"]+)"', text)):
        if link.startswith("#"):
            assert link[1:] in places
        else:
            assert (await game.get(link)).status == 200, link


async def test_the_document_has_every_route_of_a_server_in_production(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    """But for the files of the browser client, the operators' page, and the sockets, which are
    AsyncAPI's."""
    settings = environment(store_url, "http://127.0.0.1/", issuer, provider)
    app = App(load_settings(settings | {"OPS_TOKENS": "ann:admin:0123456789abcdef"}))
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.web.router.routes()
        if route.resource is not None
        and route.method != "HEAD"
        and not route.resource.canonical.startswith(("/client/", "/socket.io"))
        and route.resource.canonical not in ("/ops", "/ops/nodes")
    }
    documented = {
        (method, path) for path, operations in DOCUMENT["paths"].items() for method in operations
    }
    assert served == documented


async def test_the_documents_have_every_command_of_a_socket_with_its_model(
    store_url: str, issuer: DevIssuer, provider: DevProvider
) -> None:
    app = App(load_settings(environment(store_url, "http://127.0.0.1/", issuer, provider)))
    for handler, documented in (
        (app.sockets.front_desk, FRONT_DESK_COMMANDS),
        (app.sockets.lobby_room, LOBBY_COMMANDS),
    ):
        assert {name: c.model for name, c in handler.commands.items()} == documented
