"""What connections cost: `python -m tests.bench.connections [SOCKETS...]`.

First what it takes to connect and to disconnect while few or many other namespaces are in use.
Then the memory of players who only wait, in namespaces of ten, beside as many sockets in the root
namespace of python-socketio as it comes. A line is added to tests/bench/results.jsonl.

All clients are this process's, and each server is one process: `ulimit -n` bounds them both.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from tests.bench.fanout.audience import Audience
from tests.bench.fanout.connection import Connection, Unexpected
from tests.bench.fanout.contenders import OURS, STOCK, Contender, open_engineio
from tests.bench.fanout.results import append_line
from tests.bench.fanout.server_process import ServerProcess
from tests.bench.fanout.work import Shape, namespace

SETTLING_SECONDS: Final = 6.0  # everyone was pinged once
FEW_NAMESPACES: Final = 10
MANY_NAMESPACES: Final = 10_000
VISITS: Final = 300


def join_root(port: int, _room: str) -> Connection:
    """Connect to the root namespace, whatever the room."""
    connection = open_engineio(port)
    connection.send(b'40{"token":"p"}')
    answer = connection.message()
    if not answer.startswith(b"40{"):
        raise Unexpected(answer)
    return connection


STOCK_ROOT: Final = replace(STOCK, join=join_root)


@dataclass(frozen=True, slots=True)
class Visits:
    """What the server's process took, in milliseconds, for a client that connects to a namespace of
    its own and is gone again; with so many other namespaces in use."""

    namespaces: int
    cpu_ms: float


def idle_bytes(contender: Contender, sockets: int) -> float:
    """What the process grows by for each socket that waits."""
    with ServerProcess(contender.command, core=None) as server:
        before = server.memory_bytes()
        with Audience(contender, Shape(sockets, room_size=10), server) as clients:
            end = time.monotonic() + SETTLING_SECONDS
            while time.monotonic() < end:
                clients.answer_pings()
                time.sleep(0.01)
            return (server.memory_bytes() - before) / sockets


def visit_times(contender: Contender, namespaces: int, visits: int) -> Visits:
    """Come and go while so many other namespaces have a member each."""
    with (
        ServerProcess(contender.command, core=None) as server,
        Audience(contender, Shape(namespaces, room_size=1), server) as others,
    ):
        before = server.cpu_time()
        for number in range(visits):
            others.answer_pings()
            contender.join(server.port, namespace(namespaces + number)).socket.close()
        # The next one is let in after the last one has been dealt with, or nearly so.
        contender.join(server.port, namespace(namespaces + visits)).socket.close()
        cpu_seconds = server.cpu_time().since(before).total_seconds
    return Visits(namespaces, round(cpu_seconds / visits * 1000, 3))


def compare_memory(sockets: int) -> dict[str, float]:
    """Bytes for each socket that waits."""
    ours, stock = idle_bytes(OURS, sockets), idle_bytes(STOCK_ROOT, sockets)
    sys.stdout.write(
        f"{sockets} sockets: ours {ours:,.0f} bytes each, python-socketio {stock:,.0f}: "
        f"{ours / stock:.2f} times\n"
    )
    return {"sockets": sockets, "ours_bytes": round(ours), "stock_bytes": round(stock)}


def compare_visits(contender: Contender) -> list[Visits]:
    """With few namespaces and with many."""
    both = [visit_times(contender, count, VISITS) for count in (FEW_NAMESPACES, MANY_NAMESPACES)]
    for one in both:
        sys.stdout.write(
            f"{contender.name} with {one.namespaces} namespaces: {one.cpu_ms} ms for a client that "
            "connects and is gone again\n"
        )
    return both


def main(arguments: Sequence[str]) -> None:
    """Measure, by default with as many sockets as a process may have."""
    visits = {one.name: compare_visits(one) for one in (OURS, STOCK)}
    memory = [compare_memory(int(sockets)) for sockets in arguments or ("1000", "19500")]
    append_line(
        "connections",
        {
            "memory": memory,
            "visits": {name: [asdict(one) for one in both] for name, both in visits.items()},
        },
    )


if __name__ == "__main__":
    main(sys.argv[1:])
