"""For whom a request counts, however proxies write it."""

from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network

import aiohttp
import pytest
from aiohttp import web

from server.transport.addresses import client_address, parse_address
from tests.support.http import serve_app

TRUSTED = tuple(map(ip_network, ("127.0.0.0/8", "10.0.0.0/8", "2001:db8:ffff::/48")))


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A server that says for whom it counts a request."""

    async def respond(request: web.Request) -> web.Response:
        return web.Response(text=client_address(request, TRUSTED))

    app = web.Application()
    app.router.add_get("/", respond)
    async with serve_app(app) as url:
        yield url


async def counted(url: str, *forwarded: str) -> str:
    headers = [("X-Forwarded-For", text) for text in forwarded]
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        return await answer.text()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.8", "203.0.113.8"),
        (" 203.0.113.8\t", "203.0.113.8"),
        ("203.0.113.8:5001", "203.0.113.8"),
        ("::ffff:203.0.113.8", "203.0.113.8"),
        ("::FFFF:cb00:7108", "203.0.113.8"),
        ("[::ffff:203.0.113.8]:443", "203.0.113.8"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ('"[2001:db8::1]:443"', "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
    ],
)
def test_an_address_is_one_however_it_is_written(text: str, expected: str) -> None:
    assert parse_address(text) == ip_address(expected)


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "1.2.3", "[", "[]:1", ":80", "x:1", "1"]
)
def test_nonsense_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ([], "127.0.0.1"),
        (["203.0.113.8"], "203.0.113.8"),
        (["203.0.113.8:5001"], "203.0.113.8"),
        (["198.51.100.7, 203.0.113.8:1, ::ffff:10.0.0.5, 10.0.0.6:443"], "203.0.113.8"),
        (["203.0.113.8, [2001:db8:ffff::1]:80"], "203.0.113.8"),
        (["198.51.100.7", "203.0.113.8", "10.0.0.5"], "203.0.113.8"),
        (["198.51.100.7, 203.0.113.8,, ,", ",10.0.0.5,"], "203.0.113.8"),
        (["[2001:db8:1:2:3:4:5:6]:80"], "2001:db8:1:2::/64"),
        (["2001:db8:1:2::1"], "2001:db8:1:2::/64"),
        (["10.0.0.4, 10.0.0.5"], "10.0.0.4"),
        (["198.51.100.7, unknown"], "127.0.0.1"),
        (["198.51.100.7, nonsense, 10.0.0.5"], "10.0.0.5"),
        ([""], "127.0.0.1"),
    ],
)
async def test_the_right_most_hop_that_is_not_trusted_counts(
    url: str, forwarded: list[str], expected: str
) -> None:
    assert await counted(url, *forwarded) == expected
