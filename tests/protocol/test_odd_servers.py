"""Both clients at a server that sends nonsense, half packets, duplicates and holes."""

import asyncio
import base64
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from protocol import to_client
from protocol.channel import Channel
from protocol.client import ConnectionLost, enter_lobby
from protocol.connection import ClientConnection
from protocol.example_game import LOBBY_ID
from protocol.examples import EXAMPLES
from protocol.tokens import expiry_of
from tests.protocol.test_documents_js import node_modules as node_modules
from tests.support.process import StartProcess
from tests.support.scripted_server import CUT, SILENCE_SECONDS, WHEN_LEFT, Sent, scripted_server

CLIENT = Path(to_client.__file__).parent / "js"
JS = Path(__file__).parent / "js"
STATE = EXAMPLES[to_client.LobbyState]
WON = json.dumps([{**EXAMPLES[to_client.ClaimWon], "ok": True}])
ANSWERS = {
    "sync": [json.dumps([{"ok": True, "state": STATE}])],
    "leave": ['[{"ok":true}]'],
    "claim": [WON],
}

Follow = Callable[[str], Awaitable[tuple[list[int], str, str]]]
"""Enters the room of a server, leaves the seat and listens on: each event's `seq`, what ended them
("end" or a code), and the code of a claim after that ("answered" for none)."""


def call(seq: int) -> Sent:
    return "number_called", {**EXAMPLES[to_client.NumberCalled], "seq": seq}


def finish(seq: int) -> Sent:
    return "game_finished", {**EXAMPLES[to_client.GameFinished], "seq": seq}


BEGIN: Sent = ("lobby_state", STATE)
HALF = '42{ns},["number_called",{"se'
NO_ATTACHMENT = '51-{ns},["number_called",{"_placeholder":true,"num":0}]'


async def follow_with_python(url: str) -> tuple[list[int], str, str]:
    async with enter_lobby(url, "a.b.c", LOBBY_ID) as room:
        seqs: list[int] = []
        end, claimed = "end", "answered"
        await room.leave()

        async def receive() -> None:
            async for event in room:
                seqs.append(event.seq)  # noqa: PERF401

        try:
            await receive()
        except ConnectionLost as error:
            end = error.code
        try:
            await room.claim()
        except ConnectionLost as error:
            claimed = error.code
        return seqs, end, claimed


@pytest.fixture
def node(
    tmp_path: Path, node_modules: Path, start_process: StartProcess
) -> Callable[[str, str], Awaitable[str]]:
    """Runs the program at a server, on the files of the npm package."""
    shutil.copytree(CLIENT, tmp_path / "client")
    shutil.copy(JS / "odd.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(node_modules)

    async def run(url: str, what: str) -> str:
        process = start_process("node", str(tmp_path / "odd.mjs"), url, what)
        assert await process.wait() == 0, process.output
        return process.output.strip()

    return run


@pytest.fixture(params=["python", "javascript"])
def follow(request: pytest.FixtureRequest) -> Follow:
    """Each client."""
    if request.param == "python":
        return follow_with_python
    node = request.getfixturevalue("node")

    async def follow_with_node(url: str) -> tuple[list[int], str, str]:
        seqs, end, claimed = json.loads(await node(url, LOBBY_ID))
        return seqs, end, claimed

    return follow_with_node


@pytest.mark.parametrize(
    "odd",
    [
        [call(2), call(2), call(1), call(4)],
        [call(2), HALF],
        [call(2), NO_ATTACHMENT, call(3), call(4)],
        [call(2), "49{ns},[]"],
        [call(2), ("number_called", 7), ("of_a_newer_server", {"a": 1}), call(9)],
    ],
    ids=["twice", "half", "no attachment", "no packet", "far ahead"],
)
async def test_what_is_missing_is_had_on_another_connection(
    follow: Follow, odd: list[Sent]
) -> None:
    rest = [call(3), call(4), finish(5)]
    # With half a packet in hand a client hears nothing more.
    silence_seconds = 10 if NO_ATTACHMENT in odd else SILENCE_SECONDS
    rooms = [[BEGIN, WHEN_LEFT, *odd], rest]
    async with scripted_server(rooms, silence_seconds, **ANSWERS) as (url, server):
        seqs, end, claimed = await follow(url)
    assert (seqs, end, claimed) == ([1, 2, 3, 4, 5], "end", "answered")
    assert server.auths[1]["last_seq"] in (2, 4)


@pytest.mark.parametrize(
    "odd",
    [
        ("lobby_state", {"seq": 2}),
        ("lobby_state", {**STATE, "seq": 2, "players": 7}),
        ("lobby_state", {**STATE, "seq": 2, "you": None}),
    ],
    ids=["no state", "no players", "nobody"],
)
async def test_what_cannot_be_read_is_told_where_one_listens_and_where_one_asks(
    follow: Follow, odd: Sent
) -> None:
    async with scripted_server([[BEGIN, WHEN_LEFT, odd]], **ANSWERS) as (url, _):
        assert await follow(url) == ([1], "unreadable", "unreadable")


@pytest.mark.parametrize(
    "odd",
    [("number_called", {"seq": 2}), ("draining", {"retry_after_ms": "soon"})],
    ids=["no event", "no time"],
)
async def test_python_reads_nothing_that_is_not_as_documented(odd: Sent) -> None:
    async with scripted_server([[BEGIN, WHEN_LEFT, odd]], **ANSWERS) as (url, _):
        assert await follow_with_python(url) == ([1], "unreadable", "unreadable")


@pytest.mark.parametrize("answer", ["[null]", "[{}]", "[7]", '[{"ok":false}]', '[{"ok":1}]'])
async def test_an_answer_that_cannot_be_read_is_told_at_once(follow: Follow, answer: str) -> None:
    answers = {**ANSWERS, "claim": [answer]}
    async with scripted_server([[BEGIN, finish(2)]], **answers) as (url, server):
        assert await follow(url) == ([1, 2], "end", "unreadable")
    assert server.asked.count("claim") == 1


async def test_a_claim_whose_answer_was_cut_off_is_asked_again(follow: Follow) -> None:
    answers = {**ANSWERS, "claim": [CUT, WON]}
    async with scripted_server([[BEGIN, finish(2)], []], **answers) as (url, server):
        assert await follow(url) == ([1, 2], "end", "answered")
    assert server.asked.count("claim") == 2


async def test_a_refusal_without_a_reason_is_no_last_word(follow: Follow) -> None:
    refusal = '44{ns},{"message":"no"}'
    rooms: list[list[Sent]] = [
        [BEGIN, WHEN_LEFT, call(4)],
        [refusal],
        [call(2), call(3), finish(4)],
    ]
    async with scripted_server(rooms, **ANSWERS) as (url, _):
        assert await follow(url) == ([1, 2, 3, 4], "end", "answered")


async def test_a_connection_on_which_nothing_came_for_long_is_closed() -> None:
    async with scripted_server([[BEGIN]], 10) as (url, _):
        connection = await ClientConnection.open(url, f"/{LOBBY_ID}", {"token": "a.b.c"})
        assert [name async for name, _ in connection.messages()] == ["lobby_state"]
        websocket = connection._client.eio.ws
        await connection.close()
        assert websocket.closed


async def test_javascript_waits_for_a_token_only_so_long(
    node: Callable[[str, str], Awaitable[str]],
) -> None:
    async with scripted_server() as (url, _):
        assert await node(url, "token") == "no_answer"


async def test_python_waits_for_a_token_only_so_long() -> None:
    async def never() -> str:
        return await asyncio.Event().wait() and ""

    async def ignore(*_: object) -> bool:
        return True

    async def come_back() -> None:
        pass

    waiting = Channel(
        "http://127.0.0.1:9",
        "/lobbies",
        never,
        on_message=ignore,
        came_back=come_back,
        ended=lambda _: None,
        auth=dict,
        token_seconds=0.05,
    )
    with pytest.raises(ConnectionLost, match="no token"):
        await waiting.open()


@pytest.mark.parametrize("exp", ["soon", None, [], {}])
def test_a_token_that_says_no_time_has_expired(exp: Any) -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": exp}).encode()).decode().rstrip("=")
    assert expiry_of(f"a.{payload}.c") == 0
