"""What the page weighs and what it may load; for these no browser is needed."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from server.transport.http.pages import Pages
from tests.support.game import CLASSIC
from tests.support.http import serve_app

MOST_BYTES = 150_000
LINK = re.compile(r'(?:href|src)="(/client/[^"]+)"')


@pytest_asyncio.fixture(loop_scope="session")
async def url() -> AsyncIterator[str]:
    app = web.Application()
    Pages({3500: CLASSIC}, dev_login=False, host_origins=["https://alien.example"]).add_to(app)
    async with serve_app(app) as url:
        yield url


async def test_the_page_with_all_its_files_is_light(url: str) -> None:
    async with aiohttp.ClientSession(url, auto_decompress=False) as session:
        page = await (await session.get("/", headers={"Accept-Encoding": "identity"})).text()
        weight_bytes = 0
        for path in ["/", *set(LINK.findall(page)), "/client/band.svg"]:
            async with session.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
                assert answer.status == 200, path
                weight_bytes += len(await answer.read()) + len(str(answer.raw_headers))
    assert weight_bytes < MOST_BYTES


async def test_the_policy_lets_in_nothing_from_elsewhere(url: str) -> None:
    async with aiohttp.ClientSession(url) as session, session.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await answer.text()
    assert "default-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self' https://alien.example" in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page)


def test_nobody_waits_for_what_the_policy_lets_be_true_at_the_first_look_only() -> None:
    # Playwright evaluates a string again and again, which the policy takes for the page's doing.
    forbidden = re.compile(r"\.wait_for_function\(")
    here = Path(__file__).parent.glob("*.py")
    assert [path.name for path in here if forbidden.search(path.read_text())] == []


async def test_production_logs_in_by_its_host(url: str) -> None:
    async with aiohttp.ClientSession(url) as session, session.get("/") as answer:
        assert "&quot;dev_login&quot;:false" in await answer.text()


async def test_what_did_not_change_is_not_sent_again(url: str) -> None:
    async with aiohttp.ClientSession(url) as session:
        first = await session.get("/client/main.js")
        tag = {"If-None-Match": first.headers["ETag"]}
        async with session.get("/client/main.js", headers=tag) as again:
            assert (again.status, await again.read()) == (304, b"")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/client/main.js", "text/javascript"),
        ("/client/css/base.css", "text/css"),
        ("/client/icon.svg", "image/svg+xml"),
    ],
)
async def test_each_file_is_served_with_its_content_type(
    url: str, path: str, content_type: str
) -> None:
    async with aiohttp.ClientSession(url) as session, session.get(path) as answer:
        assert answer.content_type == content_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
