"""The same players with Locust (https://locust.io), for those who have it.

    pip install locust "python-socketio[client]"
    locust -f tests/load/locustfile.py --host http://127.0.0.1:8000 --users 200 --spawn-rate 10

The host has to be a development server (`fair-bingo dev`): it gives out tokens and pays. A Locust
process is good for some hundred of these players; `fair-bingo load` for some 10,000.
"""

import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

# Locust first: it replaces what blocks in the standard library.
from locust import HttpUser, events, task  # isort: skip
import socketio

BUY_IN = 3500
PATTERNS = [
    *[[(row, column) for column in range(3)] for row in range(3)],
    *[[(row, column) for row in range(3)] for column in range(3)],
    [(i, i) for i in range(3)],
    [(i, 2 - i) for i in range(3)],
]


class Player(HttpUser):
    """Joins, pays, arranges, listens and claims; then the next game."""

    @task
    def play(self) -> None:
        """One game."""
        alien_id = f"locust-{uuid.uuid4().hex[:12]}"
        token = self.client.post("/dev/token", json={"alien_id": alien_id}).json()["token"]
        seat = self.client.post(
            "/api/game/join",
            json={"buy_in_amount": BUY_IN},
            headers={"Authorization": f"Bearer {token}"},
        ).json()
        Game(self.host or "", token, seat["lobby_id"]).play(
            lambda: self.client.post("/dev/pay", json={"invoice_id": seat["invoice"]["invoice_id"]})
        )


class Game:
    """A player's part in one game."""

    def __init__(self, url: str, token: str, lobby_id: str) -> None:
        self._url = url
        self._token = token
        self._namespace = f"/{lobby_id}"
        self._called: set[int] = set()
        self._received = threading.Event()
        self._is_over = False
        numbers = random.sample(range(1, 51), 9)
        self._grid = [numbers[row * 3 : row * 3 + 3] for row in range(3)]
        self._socket = socketio.Client(reconnection=False)
        self._socket.on("*", self._receive, namespace=self._namespace)

    def play(self, pay: Callable[[], object]) -> None:
        """Play until the game is over."""
        self._socket.connect(
            self._url,
            auth={"token": self._token},
            transports=["websocket"],
            namespaces=[self._namespace],
        )
        pay()
        self._ask("arrange_grid", {"grid": self._grid})
        while not self._is_over and not self._is_complete():
            self._received.wait()
            self._received.clear()
        if not self._is_over:
            self._ask("claim", {}, expected_refusal="wrong_status")
        self._socket.disconnect()

    def _is_complete(self) -> bool:
        return any(
            self._called.issuperset(self._grid[r][c] for r, c in cells) for cells in PATTERNS
        )

    def _receive(self, name: str, message: dict[str, Any]) -> None:
        if "seq" not in message or name == "lobby_state":
            return
        _report("push", name, time.time() * 1000 - message["at"])
        if name == "number_called":
            self._called.add(message["number"])
        self._is_over = name == "game_finished"
        self._received.set()

    def _ask(self, command: str, payload: dict[str, Any], expected_refusal: str = "") -> None:
        start_s = time.monotonic()
        answer = self._socket.call(command, payload, namespace=self._namespace)
        code = "" if answer["ok"] else answer["error"]["code"]
        latency_ms = (time.monotonic() - start_s) * 1000
        _report("command", command, latency_ms, "" if code == expected_refusal else code)


def _report(kind: str, name: str, latency_ms: float, refusal: str = "") -> None:
    """Report a latency to Locust of what was not done by its own client."""
    events.request.fire(
        request_type=kind,
        name=name,
        response_time=latency_ms,
        response_length=0,
        exception=RuntimeError(refusal) if refusal else None,
    )
