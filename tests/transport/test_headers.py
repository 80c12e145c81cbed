"""Headers as clients may write them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from server.transport.headers import credentials, is_encoded, knows, takes_gzip, weight
from tests.support.http import serve_app

Ask = tuple[str, aiohttp.ClientSession]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """A server that says what it reads in the headers."""

    async def respond(request: web.Request) -> web.Response:
        return web.json_response(
            {
                "gzip": takes_gzip(request),
                "encoded": is_encoded(request),
                "known": knows(request, "abc"),
                "bearer": credentials(request, "bearer"),
            }
        )

    app = web.Application()
    app.router.add_get("/", respond)
    async with (
        serve_app(app) as url,
        aiohttp.ClientSession(skip_auto_headers=["Accept-Encoding"]) as http,
    ):
        yield url, http


async def read(ask: Ask, what: str, name: str, *values: str) -> object:
    url, http = ask
    async with http.get(url, headers=[(name, value) for value in values]) as answer:
        return (await answer.json())[what]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], False),
        ([""], False),
        (["gzip"], True),
        (["GZip"], True),
        (["br", "gzip"], True),
        (["deflate, gzip;q=1.0, *;q=0.5"], True),
        (["gzip;q=0"], False),
        (["gzip ; Q=0.000, *"], False),
        (["gzip;q=0.001"], True),
        (["gzip;q=nonsense"], False),
        (["*"], True),
        (["*;q=0"], False),
        (["x-gzip"], True),
        (["gzipped, nogzip"], False),
        (["identity"], False),
    ],
)
async def test_only_who_takes_gzip_gets_it(ask: Ask, values: list[str], expected: bool) -> None:
    assert await read(ask, "gzip", "Accept-Encoding", *values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], False),
        (["identity"], False),
        (["Identity, , IDENTITY"], False),
        ([""], False),
        (["gzip"], True),
        (["identity, gzip"], True),
        (["identity", "x"], True),
    ],
)
async def test_identity_is_no_encoding(ask: Ask, values: list[str], expected: bool) -> None:
    assert await read(ask, "encoded", "Content-Encoding", *values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (['"abc"'], True),
        (['W/"abc"'], True),
        (['"x", W/"y,z" ,"abc"'], True),
        (['"x"', '"abc"'], True),
        (["*"], True),
        ([" * "], True),
        (['"ABC"'], False),
        (['"abcd"'], False),
        (["abc"], False),
        (['"*"'], False),
        (['"x,abc"'], False),
    ],
)
async def test_what_the_client_has_is_known_by_its_tags(
    ask: Ask, values: list[str], expected: bool
) -> None:
    assert await read(ask, "known", "If-None-Match", *values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Bearer x.y.z"], "x.y.z"),
        (["bEARER    x.y.z"], "x.y.z"),
        (["Bearer x.y.z  "], "x.y.z"),
        (["Bearer"], None),
        (["Bearer "], None),
        (["Bearerx.y.z"], None),
        (["Bearer\tx.y.z"], None),
        (["Basic x.y.z"], None),
        (["Bearer x", "Bearer y"], None),
        ([], None),
    ],
)
async def test_credentials_follow_their_scheme(
    ask: Ask, values: list[str], expected: str | None
) -> None:
    assert await read(ask, "bearer", "Authorization", *values) == expected


def test_the_first_name_that_is_there_has_the_weight() -> None:
    accepted = ["text/csv;q=0.5", "application/json; charset=utf-8 ;q=0", "*/*;q=0.1"]

    assert weight(accepted, "text/csv", "text/*", "*/*") == 0.5
    assert weight(accepted, "application/json", "*/*") == 0
    assert weight(accepted, "text/html", "text/*", "*/*") == 0.1
    assert weight(accepted, "text/html") == 0
