"""One client that floods:

    python -m tests.bench.support.flooder PORT NAMESPACE TOKEN PAUSE_SECONDS

It enters the namespace, sends commands as fast as TCP takes them, reads nothing, and reconnects
after the pause whenever it is cut off. A process of its own, so that it takes no time of those who
are measured.
"""

import base64
import contextlib
import json
import os
import socket
import sys
import time
from typing import Final

from tests.transport.raw import HANDSHAKE, client_frame

MESSAGES_PER_WRITE: Final = 1_000


def frame(text: str) -> bytes:
    """A WebSocket frame with that text."""
    return client_frame(0x81, text.encode())


def flood(port: int, namespace: str, token: str) -> None:
    """Connect, enter and send until the server cuts it off. Raises ConnectionError then."""
    key = base64.b64encode(os.urandom(16)).decode()
    path, host = "/socket.io/?EIO=4&transport=websocket", f"127.0.0.1:{port}"
    commands = MESSAGES_PER_WRITE * frame(f'42{namespace},1["sync"]')
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(HANDSHAKE.format(path=path, host=host, key=key, extra="").encode())
        connection.sendall(frame(f"40{namespace}," + json.dumps({"token": token})))
        while True:
            connection.sendall(commands)


def main(port: int, namespace: str, token: str, pause_seconds: float) -> None:
    """Flood for ever."""
    while True:
        with contextlib.suppress(ConnectionError):
            flood(port, namespace, token)
        time.sleep(pause_seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4]))
