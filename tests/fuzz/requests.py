"""HTTP requests: whole ones that say anything, and texts that are nearly requests."""

import json
from typing import Final, NamedTuple

from hypothesis import strategies as st

from tests.fuzz.documents import documents
from tests.fuzz.messages import Payload, spoilt

DELIVERY: Final[Payload] = {
    "invoice": "inv_3500_ffffffffffff_ffffffffffffffff",
    "status": "finalized",
    "recipient": "00000001000000000000000000000000",
    "txHash": "ab",
    "amount": "3500",
    "decimals": 0,
    "token": "ALIEN",
    "network": "alien",
    "test": False,
}
"""A payment, with every field."""

BODIES: Final[dict[str, Payload]] = {
    "/api/game/join": {"buy_in_amount": 3500, "client_seed": "luck"},
    "/api/invoices": {"buy_in_amount": 3500, "lobby_id": "lobby_3500_ffffffffffff"},
    "/api/game/{lobby_id}/numbers/select": {"numbers": [1, 2, 3, 4, 5, 6, 7, 8, 9]},
    "/api/game/{lobby_id}/numbers/arrange": {"grid": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]},
    "/api/game/{lobby_id}/claim": {},
    "/api/game/{lobby_id}/leave": {},
}
"""A body for each route that takes one from a player."""

PATHS: Final = (
    *("/", "/docs", "/ops", "/metrics", "/health", "/socket.io/", "/client/main.js"),
    *("/client/../../etc/passwd", "/client/%2e%2e/%2e%2e/pyproject.toml", "//", "*", "/%00"),
    *("/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket&sid=x"),
    *("/api/game/lobby_3500_ffffffffffff/status", "/api/game/%20/proof", "/api/webhooks/payment"),
)


class Request(NamedTuple):
    """A request of a player, with a length that is right."""

    method: str
    path: str
    body: bytes


def to_players_routes(lobby_id: str) -> st.SearchStrategy[Request]:
    """Requests to the routes of a game, of which something is wrong."""
    return st.sampled_from(sorted(BODIES)).flatmap(
        lambda path: st.builds(
            Request, st.just("POST"), st.just(path.format(lobby_id=lobby_id)), bodies(BODIES[path])
        )
    )


def bodies(valid: Payload) -> st.SearchStrategy[bytes]:
    """Bodies of which something is wrong."""
    return st.one_of(
        spoilt(valid).map(json.dumps).map(str.encode),
        documents.map(str.encode),
        st.binary(max_size=100),
    )


deliveries = bodies(DELIVERY)

_tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=10)
_lines = st.one_of(
    st.sampled_from(
        [
            b"Host: localhost\r\n",
            b"Host: localhost\r\nHost: other\r\n",
            b"Content-Length: 5\r\n",
            b"Content-Length: -1\r\n",
            b"Content-Length: 99999999999999999999\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            b"Content-Encoding: gzip\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
            b"Sec-WebSocket-Key: x\r\n",
            b"Authorization: Bearer x\r\n",
            b"Authorization: Bearer \xff\r\n",
            b" folded\r\n",
            b"X: " + b"y" * 9000 + b"\r\n",
        ]
    ),
    st.binary(max_size=30),
)
_first_lines = st.builds(
    "{} {} {}{}".format,
    st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get", "G\0T"]) | _tokens,
    st.sampled_from([*PATHS, *BODIES]) | st.text(max_size=20),
    st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/1.1 x", ""]),
    st.sampled_from(["\r\n", "\r\n", "\n", ""]),
).map(str.encode)
_ends = st.sampled_from([b"\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n", b"\r\nzz\r\n", b"\r\n{}", b""])

near_requests = st.lists(
    st.builds(
        lambda first, lines, end, cut: (first + b"".join(lines) + end)[: cut or None],
        _first_lines,
        st.lists(_lines, max_size=5),
        _ends,
        st.just(0) | st.integers(0, 300),
    ),
    min_size=1,
    max_size=3,
)
"""Texts of requests, right or wrong, whole or cut, one after the other."""
